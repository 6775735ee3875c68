#!/usr/bin/env python3
"""
An exhaustive model of how leaders commit what waits in lanes; the head of
src/commit/stockcert_lanes.h has the words.  Leaders take turns by a lock that the kernel
drops when its holder dies.  They die at any step, or stall there and come back
late.  Clients ask and workers answer at any time.  An outside writer, such as
the tool or a worker from before a reload, takes the same lock and commits an
entry of its own, and may die before that is flushed.  Every state of a small
world is visited:

  told        who is told 201 has that certificate: it is in the journal, at the
              position and under the seal told, for this request, and flushed.
              So a number is told to one client only, and a power cut, which
              leaves what is flushed, takes none back
  refused     who is told 403 (or 503) has no certificate, and gets none
  once        no grant, and no key, has two certificates
  numbers     they are 1, 2, 3, ... in the order of the journal
  authorized  at no entry are more shares out than authorized
  end         if nobody dies any more, all are answered, whoever stalls how long

Run: python3 leaders.py             every rule in force: it holds

A switch takes a rule out.  Then it fails, and prints how:

  late        the lock goes before "settled" moves, and "settled" only grows.
              Who comes late settles a lane, of refusals or replays only, over
              what another leader has written there since and not committed
  unflushed   recovery does not flush what it finds.  A leader died in its flush;
              its batch is told, and a power cut takes it back
  dry         a replay does not flush, though who wrote that certificate may have
              died in the flush.  A power cut takes it back, too
  byid        recovery asks whether the journal has the transaction's number, not
              the seal.  What an outside writer committed under that number is
              taken for the dead leader's
  samebytes   the clock stands still, and transactions carry no random bytes.  The
              same grant at the same position has the same seal, and an outside
              writer's is taken for the dead leader's.  The other runs have random
              bytes in each transaction, as the journal has
  forget      recovery asks nothing: all that was noted waits again.  What was
              committed is issued twice
  stale       a worker does not clear the outcome in a slot that it fills again.
              A leader died between noting a grant and issuing it; recovery takes
              the certificate of who had the slot before for the grant's
  trusting    recovery settles a lane of refusals and replays as it stands, though
              what they replay may have been in the batch that was lost
  denied      what leaders die of is answered 503 "nothing was issued", not 500
              "outcome unknown".  The last of them may have committed it
  forever     deaths are not counted.  A batch that leaders die of is tried again
              and again, and nobody is answered
  twolocks    a second path to the ledger has a lock of its own.  One writer's
              commit undoes another's
  cached      a leader counts shares and numbers from what it knew when it last
              had the lock, not in the transaction.  Others have issued since

Other words say what world it is: ac/bd/+x has these grants (GRANTS, below) in two
lanes, and an outside writer that may do + and x; a number is how many die, beside
those who are poisoned; in "poison" every leader dies that commits a; in "power"
the power fails, too, which counts as a death.  Names of invariants: only these
are looked at.  "all" visits also what comes to the same (see steps()).
"""
import gc
import sys
from collections import deque
from typing import NamedTuple

gc.disable()                            # no world refers to itself

SWITCHES = {"late", "unflushed", "dry", "byid", "samebytes", "forget", "stale", "trusting",
            "denied", "forever", "twolocks", "cached"}
INVARIANTS = {"told", "refused", "once", "numbers", "authorized", "end"}
WORLDS = {"poison", "power", "all"}

WORDS = set(sys.argv[1:])
OFF = WORDS & SWITCHES
LOOKED_AT = WORDS & INVARIANTS or INVARIANTS
ALL = "all" in WORDS or OFF & {"late", "twolocks"}
FAULTS = next((int(word) for word in WORDS if word.isdigit()), 1)
*LANES, OUTSIDE = next((word for word in WORDS if word.count("/") == 2), "ac/bd/+x").split("/")

for word in WORDS - SWITCHES - INVARIANTS - WORLDS:
    if not word.isdigit() and word.count("/") != 2:
        sys.exit(f'what is "{word}"? See the head of {sys.argv[0]}')

class Grant(NamedTuple):
    holder: str
    shares: int
    key: str = ""

GRANTS = {
    "a": Grant("Ann", 1),
    "b": Grant("Bob", 3),               # refused, until more are authorized and few are out
    "c": Grant("Cid", 1, "key"),
    "d": Grant("Cid", 1, "key"),        # c, asked again: whichever comes second is a replay
    "e": Grant("Eve", 3),
    "x": Grant("Ann", 1),               # asked of the outside writer: as a, by another client
    "y": Grant("Cid", 1, "key"),
}
POISON = "a" if "poison" in WORDS else ""
AUTHORIZED, RAISE = 2, 2                # by "+"
SLOTS = 2                               # of a lane, a ring
LIMIT = 2                               # deaths with a batch, then it is given up

class Entry(NamedTuple):                # of the journal
    grant: str                          # "+": no certificate, shares are authorized
    number: int
    seal: object

class Outcome(NamedTuple):
    status: str = "waiting"             # 201, 403, 500, 503
    position: int = 0
    seal: object = None
    replayed: bool = False

class Lane(NamedTuple):
    filled: int = 0
    noted: int = 0
    settled: int = 0
    answered: int = 0
    slots: tuple = (("", Outcome()),) * SLOTS

# what a leader does next

IDLE, LOOK, GIVE_UP, BEGIN, RECOVER, NOTE, ISSUE, COMMIT, FLUSH, SETTLE, UNLOCK = range(11)

QUIET = (LOOK, GIVE_UP, BEGIN, RECOVER, ISSUE, UNLOCK)      # the journal stays as it is

class Leader(NamedTuple):
    next: int = IDLE
    lane: int = 0                       # it is at
    at: int = 0                         # the position there
    ends: tuple = ()                    # up to where it took each lane
    pending: tuple = ()                 # its transaction's entries
    base: tuple = ()                    # twolocks: the journal that it began with
    known: tuple = ()                   # cached: the journal as it last saw it

RELEASED = {"busy": 0, "deaths": 0} if "late" in OFF else {}    # the lock goes with the commit

class World(NamedTuple):
    journal: tuple = ()
    flushed: int = 0                    # so much of it is on disk
    busy: int = 0                       # a leader is within a batch, or died there
    deaths: int = 0                     # of leaders, with this batch
    leaders: tuple = (Leader(),) * 2
    lanes: tuple = (Lane(),) * 2
    told: tuple = ()                    # (grant, status, position), sorted
    outside: str = OUTSIDE              # what it may still do
    faults: int = FAULTS                # still to come

def put(items, i, item):
    return items[:i] + (item,) + items[i + 1:]

def same_request(a, b):
    return a == b or a in GRANTS and b in GRANTS and GRANTS[a].key and GRANTS[a].key == GRANTS[b].key

def has_lock(leader):
    return LOOK <= leader.next <= (FLUSH if "late" in OFF else UNLOCK)

def is_locked(w, who):
    """for a leader; the outside writer's lock is that of leader 0"""
    if "twolocks" in OFF:
        return has_lock(w.leaders[who])
    return any(map(has_lock, w.leaders))

def entry_at(journal, position):
    return journal[position - 1] if position <= len(journal) else Entry("", 0, None)

def tell(journal, told, grant, outcome):
    """a wrong seal is noted as position 0, a right one need not be kept"""
    position = outcome.position
    if outcome.status == "201" and entry_at(journal, position).seal != outcome.seal:
        position = 0
    return tuple(sorted(told + ((grant, outcome.status, position),)))

def seal_of(journal, pending, grant, attempt):
    """
    An attempt stands for random bytes, and for the time.  It is known by the faults
    and deaths behind it, as only after one of them anything is tried again.
    """
    if "byid" in OFF:
        return (journal[-1].seal if journal else 0) + 1
    if "samebytes" in OFF:
        return tuple(GRANTS.get(e.grant) for e in journal + pending) + (GRANTS.get(grant),)
    return attempt

def issue(journal, pending, known, grant, attempt):
    """the outcome of a grant, and the pending entries with what it adds to them"""
    for position, entry in enumerate(journal + pending, 1):
        if grant != entry.grant and same_request(grant, entry.grant):
            return Outcome("201", position, entry.seal, True), pending
    counted = known + pending
    left = AUTHORIZED + sum(RAISE if e.grant == "+" else -GRANTS[e.grant].shares for e in counted)
    if GRANTS[grant].shares > left:
        return Outcome("403"), pending
    seal = seal_of(journal, pending, grant, attempt)
    entry = Entry(grant, sum(e.grant != "+" for e in counted) + 1, seal)
    return Outcome("201", len(journal + pending) + 1, seal), pending + (entry,)

def give_up(lane, end):
    slots = lane.slots
    for position in range(lane.settled, end):
        outcome = Outcome("503" if "denied" in OFF else "500")
        slots = put(slots, position % SLOTS, (slots[position % SLOTS][0], outcome))
    return lane._replace(slots=slots, noted=end, settled=end)

def is_committed(lane, journal):
    """what the journal says of what was noted in a lane"""
    outcomes = [lane.slots[p % SLOTS][1] for p in range(lane.settled, lane.noted)]
    for outcome in outcomes:
        if outcome.status == "201" and not outcome.replayed:
            return entry_at(journal, outcome.position).seal == outcome.seal and "forget" not in OFF
    return "trusting" in OFF and all(outcome.status != "waiting" for outcome in outcomes)

def lead(w, who):
    """what a leader does next, as steps()"""
    me = w.leaders[who]
    lane = w.lanes[me.lane]

    def to(what, me, lane=None, **change):
        if lane is not None:
            change["lanes"] = put(w.lanes, w.leaders[who].lane, lane)
        return f"leader {'AB'[who]} {what}", 0, w._replace(leaders=put(w.leaders, who, me), **change)

    def then(this, after, first=me.lane + 1):
        """does this in the next lane where there is anything to do, or what comes after"""
        for i in range(first, len(w.lanes)):
            settled, noted = w.lanes[i].settled, w.lanes[i].noted
            if this == NOTE or settled < (noted if this == RECOVER else me.ends[i]):
                return me._replace(next=this, lane=i, at=0)
        return me._replace(next=after, lane=0, at=0)

    if me.next == IDLE:
        if not is_locked(w, who) and any(l.settled < l.filled for l in w.lanes):
            return to("takes the lock", me._replace(next=LOOK))
        return None

    if me.next == LOOK:
        if not w.busy or "forever" in OFF:
            return to("finds that nobody died", me._replace(next=BEGIN))
        deaths = min(w.deaths + 1, LIMIT)
        if deaths == LIMIT:
            noted = any(l.settled < l.noted for l in w.lanes)
            me = me._replace(ends=tuple(l.noted if noted else l.filled for l in w.lanes))
            me = then(GIVE_UP, BEGIN, 0)
        else:
            me = me._replace(next=BEGIN)
        return to(f"finds that somebody died, {deaths} by now", me, deaths=deaths)

    if me.next == GIVE_UP:
        lane = give_up(lane, me.ends[me.lane])
        return to(f"gives up lane {me.lane} up to {lane.settled}", then(GIVE_UP, BEGIN), lane)

    if me.next == BEGIN:
        me = me._replace(ends=(), base=w.journal if "twolocks" in OFF else (),
                         known=(me.known or w.journal) if "cached" in OFF else ())
        return to("begins", then(RECOVER, NOTE, 0), busy=1, deaths=w.deaths % LIMIT)

    if me.next == RECOVER:
        flushed = w.flushed if "unflushed" in OFF else len(w.journal)
        if is_committed(lane, w.journal):
            what, lane = "committed", lane._replace(settled=lane.noted)
        else:
            what, lane = "it waits again", lane._replace(noted=lane.settled)
        return to(f"recovers lane {me.lane}: {what}", then(RECOVER, NOTE), lane, flushed=flushed)

    if me.next == NOTE:
        me = me._replace(ends=me.ends + (lane.filled,), at=lane.settled)
        lane = lane._replace(noted=lane.filled)
        return to(f"notes lane {me.lane} up to {lane.noted}",
                  me._replace(next=ISSUE) if lane.settled < lane.noted else then(NOTE, COMMIT), lane)

    if me.next == ISSUE:
        grant = lane.slots[me.at % SLOTS][0]
        base = me.base if "twolocks" in OFF else w.journal
        known = me.known if "cached" in OFF else base
        outcome, pending = issue(base, me.pending, known, grant, (w.faults, w.deaths, who))
        what = f"writes into slot {me.at} of lane {me.lane}: {grant} {show(outcome)}"
        flushed = len(w.journal) if outcome.replayed and "dry" not in OFF else w.flushed
        lane = lane._replace(slots=put(lane.slots, me.at % SLOTS, (grant, outcome)))
        me = me._replace(pending=pending, at=me.at + 1)
        return to(what, me if me.at < me.ends[me.lane] else then(NOTE, COMMIT), lane, flushed=flushed)

    if me.next == COMMIT:
        if not me.pending:
            return to("has nothing to commit", then(SETTLE, UNLOCK, 0), **RELEASED)
        journal = (me.base if "twolocks" in OFF else w.journal) + me.pending
        me = me._replace(next=FLUSH, pending=(), known=journal if "cached" in OFF else ())
        return to("commits, not flushed", me, journal=journal)

    if me.next == FLUSH:
        return to("flushes", then(SETTLE, UNLOCK, 0), flushed=len(w.journal), **RELEASED)

    if me.next == SETTLE:
        lane = lane._replace(settled=max(lane.settled, me.ends[me.lane]))
        return to(f"settles lane {me.lane} up to {me.ends[me.lane]}", then(SETTLE, UNLOCK), lane)

    if "late" in OFF:
        return to("is through", Leader(known=me.known))
    journal = w.journal     # no slot has a seal any more
    if not ALL and not OFF & {"byid", "samebytes", "stale"}:
        journal = tuple(e._replace(seal=None) for e in journal)
    return to("is through", Leader(known=me.known), busy=0, deaths=0, journal=journal)

def works(w, i):
    """what the worker of a lane can do: take a grant in, and tell what is settled"""
    lane, asks, tells = w.lanes[i], None, None
    if lane.filled < len(LANES[i]) and lane.filled - lane.answered < SLOTS:
        grant = LANES[i][lane.filled]
        outcome = lane.slots[lane.filled % SLOTS][1] if "stale" in OFF else Outcome()
        slots = put(lane.slots, lane.filled % SLOTS, (grant, outcome))
        asked = lane._replace(filled=lane.filled + 1, slots=slots)
        asks = f"a client asks for {grant}, in lane {i}", 0, w._replace(lanes=put(w.lanes, i, asked))
    if lane.answered < lane.settled:
        slots, told, what = lane.slots, w.told, f"the worker of lane {i} tells"
        for position in range(lane.answered, lane.settled):
            grant, outcome = slots[position % SLOTS]
            if "stale" not in OFF:
                slots = put(slots, position % SLOTS, (grant, Outcome()))    # it is not looked at again
            told = tell(w.journal, told, grant, outcome)
            what += f" {grant} {show(outcome)}"
        lane = lane._replace(answered=lane.settled, slots=slots)
        tells = what, 0, w._replace(lanes=put(w.lanes, i, lane), told=told)
    return asks, tells

def outside(w):
    """what the outside writer can do; while it has the lock, what others do makes no difference"""
    if is_locked(w, 0):
        return
    for what in w.outside:
        if what == "+":
            pending = (Entry("+", 0, seal_of(w.journal, (), "+", "outside")),)
            how, told, flushes = "", w.told, True
        else:
            outcome, pending = issue(w.journal, (), w.journal, what, "outside")
            flushes = pending or outcome.replayed and "dry" not in OFF
            how, told = " " + show(outcome), tell(w.journal + pending, w.told, what, outcome)
        after = w._replace(journal=w.journal + pending, outside=w.outside.replace(what, ""))
        if pending and w.faults:
            yield (f"the outside writer commits {what}, and dies before it is flushed", 1,
                   after._replace(faults=w.faults - 1))
        if flushes:
            after = after._replace(flushed=len(after.journal))
        yield f"the outside writer: {what}{how}", 0, after._replace(told=told)

def dies(w, who):
    """the death of a leader, as steps(), or None; and whether nothing else can happen to it"""
    me = w.leaders[who]
    committing = w.journal[w.flushed:] if me.next == FLUSH else me.pending if me.next == COMMIT else ()
    dead = w._replace(leaders=put(w.leaders, who, Leader()))
    if any(e.grant == POISON for e in committing):
        return (f"leader {'AB'[who]} dies of its commit", 0, dead), me.next == FLUSH
    if w.faults and me.next != IDLE:
        return (f"leader {'AB'[who]} dies", 1, dead._replace(faults=w.faults - 1)), False
    return None, False

def power_fails(w):
    """nobody lives on, and who asked is not told; what was noted is gone with the memory"""
    lanes = tuple(Lane(l.filled, l.filled, l.filled, l.filled) for l in w.lanes)
    return "the power fails", 1, World(w.journal[:w.flushed], w.flushed, lanes=lanes, told=w.told,
                                       outside=w.outside, faults=w.faults - 1)

def steps(w):
    """
    What can happen: (what, is it a fault, the world after it).  Without ALL, what
    comes to the same is tried once: what is settled is told at once, as nobody
    touches it any more; clients ask where it makes a difference to who has the
    lock; the power does not fail where nothing was committed; and of two idle
    leaders, who know nothing, A goes first.
    """
    asks, tells = zip(*(works(w, i) for i in range(len(w.lanes))))
    busy = [who for who, leader in enumerate(w.leaders) if leader.next != IDLE]
    at = w.leaders[busy[0]].next if busy else IDLE
    if any(tells) and not ALL:
        yield next(filter(None, tells))
        return
    yield from filter(None, tells)
    if ALL or at in (IDLE, NOTE):
        yield from filter(None, asks)
    yield from outside(w)
    for who in range(len(w.leaders)) if ALL else busy or [0]:
        death, must = dies(w, who)
        if death:
            yield death
        step = None if must else lead(w, who)
        if step:
            yield step
    if "power" in WORDS and w.faults and (ALL or at not in QUIET):
        yield power_fails(w)

def show(outcome):
    if outcome.status != "201":
        return outcome.status
    return f"201 at {outcome.position}" + (", replayed" if outcome.replayed else "")

def faults_of(w):
    """the invariants that do not hold, and how"""
    issued = [e for e in w.journal if e.grant != "+"]
    for k, e in enumerate(issued):
        if any(same_request(e.grant, other.grant) for other in issued[:k]):
            yield "once", f"{e.grant} has two certificates"
        if e.number != k + 1:
            yield "numbers", f"{e.grant} has number {e.number}, and is certificate {k + 1} of the journal"
    left = AUTHORIZED
    for e in w.journal:
        left += RAISE if e.grant == "+" else -GRANTS[e.grant].shares
        if left < 0:
            yield "authorized", f"{e.grant} has shares that are not authorized"
    for grant, status, position in w.told:
        if status == "201":
            if not position or not same_request(entry_at(w.journal, position).grant, grant):
                yield "told", f"{grant} was told a 201 that the journal does not have"
            elif position > w.flushed:
                yield "told", f"{grant} was told 201 at {position}, which is not flushed"
        elif status == "waiting":
            yield "told", f"{grant} was told what nobody decided"
        elif status != "500" and any(e.grant == grant for e in w.journal):
            yield "refused", f"{grant} was told {status}, and has a certificate"

def fail(name, what, trace):
    print(f"FAILS: {name}: {what}")
    for line in trace:
        print("   ", line)
    sys.exit(1)

def trace_to(state, came):
    trace = []
    while came[state] is not None:
        state, what = came[state]
        trace.append(what)
    return trace[::-1]

def visit():
    """every state, the nearest first: whence it came, and what comes after it without faults"""
    came, after, queue = {World(): None}, {}, deque([World()])
    while queue:
        w = queue.popleft()
        for fault in faults_of(w):
            if fault[0] in LOOKED_AT:
                fail(*fault, trace_to(w, came))
        after[w] = []
        for what, is_fault, to in steps(w):
            if to not in came:
                came[to] = w, what
                queue.append(to)
            if not is_fault:
                after[w].append(to)
    return came, after

def check_end(came, after):
    """
    Every way without faults is through: take the states off from the end, one when
    all that can come after it are off.  What is left goes round, or nowhere.
    """
    before, open_steps, done = {}, {}, []
    for w, nexts in after.items():
        open_steps[w] = len(nexts)
        for to in nexts:
            before.setdefault(to, []).append(w)
        if not nexts and all(l.answered == len(LANES[i]) for i, l in enumerate(w.lanes)):
            done.append(w)
    ends = len(done)
    for w in done:
        del open_steps[w]
        for b in before.get(w, ()):
            open_steps[b] -= 1
            if not open_steps[b]:
                done.append(b)
    if open_steps and "end" in LOOKED_AT:
        w = next(iter(open_steps))
        trace, been = trace_to(w, came), set()
        while w not in been:
            been.add(w)
            for what, is_fault, to in steps(w):
                if not is_fault and to in open_steps:
                    trace.append(what)
                    w = to
                    break
        fail("end", "the last of this goes on for ever", trace)
    return ends

came, after = visit()
print(f"holds: {len(after)} states, {check_end(came, after)} ends")
