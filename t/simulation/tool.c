
/*
 * The tool: a process that has no lane and does not know what the workers know
 * of the journal that all share.  It authorizes shares of a class.
 */


#include "world.h"


static stockcert_rc_e tool_enter(stockcert_ledger_t *ledger, void *data,
    stockcert_error_t *error);


void
tool_begin(machine_t *machine)
{
    ask_t     *ask;
    worker_t  *tool;

    tool = &machine->workers[TOOL];

    if (machine->opens == 0 || tool->task.runs || world.nasks >= ASKS) {
        return;
    }

    worker_open(tool);

    if (tool->ledger == NULL) {
        return;
    }

    ask = client_new(1);

    if (ask->twin) {
        worker_close(tool);
        return;
    }

    ask->class = (int) chance(CLASSES);
    ask->keyed = 0;
    ask->amount = 20 + chance(400);
    ask->waiting = 1;

    tool->authorizes = ask;

    task_start(tool);
}


void
tool_work(worker_t *tool)
{
    int                 tries;
    ask_t              *ask;
    uint64_t            i;
    stockcert_rc_e      rc;
    stockcert_error_t   error;
    stockcert_write_t   write;

    ask = tool->authorizes;
    tries = 3;

    memset(&write, 0, sizeof(stockcert_write_t));

    write.enter = tool_enter;
    write.data = ask;

    trace("authorizes %" PRIu64 " of %s, as %s", ask->amount,
          class_codes[ask->class], ask->name);

    do {
        rc = stockcert_ledger_write(tool->ledger, &write, &error);
        trace("%s: %d %s", ask->name, rc, rc == STOCKCERT_OK ? "" : error.text);

    } while (write.noted.position && rc == STOCKCERT_UNREACHED && --tries);

    ask->waiting = 0;
    tool->authorizes = NULL;

    if (write.entered) {
        seen(SEEN_AUTHORIZED);

        for (i = world.len; i && world.log[i - 1].ask != ask->id + 1; i--) {
            /* void */
        }

        client_issued(ask, i, 0, NULL, 0);

    } else if (write.noted.position) {
        ask->unknown++;

    } else {
        seen(SEEN_NOT_AUTHORIZED);
        ask->refused++;
    }
}


static stockcert_rc_e
tool_enter(stockcert_ledger_t *ledger, void *data, stockcert_error_t *error)
{
    ask_t *ask = data;

    stockcert_entry_t  entry;

    memset(&entry, 0, sizeof(stockcert_entry_t));

    entry.kind = STOCKCERT_CLASS_AMENDED;
    entry.code.data = class_codes[ask->class];
    entry.code.len = 2;
    entry.shares = ask->amount;
    entry.reference.data = ask->name;
    entry.reference.len = strlen(ask->name);

    return stockcert_ledger_enter(ledger, &entry, error);
}


/* it dies, or its machine does */

void
tool_leave(worker_t *tool)
{
    if (tool->authorizes) {
        tool->authorizes->waiting = 0;
        tool->authorizes->unknown++;
        tool->authorizes = NULL;
    }
}
