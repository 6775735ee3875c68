// Holds docs/openapi.yaml against the server: node exchanges.js SPEC DIRECTORY. All answers
// in the directory, where t/lib/Stockcert/Exchanges.pm wrote them, must be as the document
// has them; each operation, status, error and form of the document must be among them; and
// its examples must be, but for times and seals, what t/api/answers.t was answered. Prints
// what is wrong.

const fs = require('fs');
const YAML = require('yaml');
const Ajv = require('ajv/dist/2020').default;
const formats = require('ajv-formats').default;

const [, , file, directory] = process.argv;
const spec = YAML.parse(fs.readFileSync(file, 'utf8'));
const ajv = new Ajv({ strict: false, validateSchema: false });
formats(ajv);
ajv.addSchema(spec, 'spec');

const faults = new Map();
const met = new Set();
const examples = new Map();       // what was met as an answer in t/api/answers.t
const bytes = text => Buffer.from(text, 'latin1').toString();


// The document. A place in it is a list of names.

const at = place => place.reduce((node, name) => node[name], spec);

function resolve(place) {
    const ref = at(place).$ref;
    return ref ? resolve(ref.slice(2).split('/')) : place;
}

function fits(place, value) {
    const pointer = place.map(name => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const validate = ajv.getSchema(`spec#/${pointer}`);
    return validate(value) ? '' : ajv.errorsText(validate.errors, { dataVar: '' });
}

// the error codes that a schema of problems has

function errors(place) {
    const schema = at(place);
    const all = schema.oneOf ? schema.oneOf.map((_, i) => [...place, 'oneOf', i]) : [place];
    return all.map(one => at(resolve(one)).properties?.error?.const);
}

const methods = path => Object.keys(spec.paths[path]).filter(name => name !== 'parameters');


// Exchanges

function read(exchange) {
    const [head, body] = exchange.request.replace(/^\s+/, '').split(/\r\n\r\n(.*)/s);
    const [line, ...fields] = head.split('\r\n');
    const [method, uri] = line.split(' ');
    const [path, query] = uri.replace(/^https?:\/\/[^/]*/, '').replace(/#.*/, '').split(/\?(.*)/s);
    const headers = {};
    for (const [, name, value] of exchange.head.matchAll(/^([^\s:]+):[ \t]*(.*?)\r$/mg)) {
        const key = name.toLowerCase();
        headers[key] = key in headers ? `${headers[key]}, ${value}` : value;
    }
    return { method, path: path.replace(/%[0-9a-f]{2}/gi, unescape), query: query ?? '', sent: body ?? '',
        fields: fields.join('\n'), status: String(exchange.status), headers, body: bytes(exchange.body), test: exchange.test };
}

// The path of the document that a request's path ends with; a location's prefix is before it.
// Where a configuration rewrites paths, and of a location's root, it can be any.

const number = '[1-9][0-9]{0,15}';
const code = '[A-Z][A-Z0-9]{0,7}';
const paths = [
    [`/transactions/${number}$`, '/transactions/{number}'],
    ['/transactions$', '/transactions'],
    [`/${code}-${number}\\.html$`, '/{class}-{number}.html'],
    [`/${code}-${number}$`, '/{class}-{number}'],
    [`/${code}\\.html$`, '/{class}.html'],
    [`/${code}$`, '/{class}'],
    ['/$', '/'],
].map(([pattern, path]) => [new RegExp(pattern), path]);

// Where the document may have the answer. Another method than an operation's is told with GET.

function places(e) {
    const path = (paths.find(([pattern]) => pattern.test(e.path)) ?? [])[1];
    if (e.status === '404' && (!path || path === '/')) return [{ response: ['components', 'responses', 'NotFound'] }];
    return (path ? [path] : Object.keys(spec.paths)).map(path => {
        const method = e.method.toLowerCase();
        const known = methods(path).includes(method);
        const operation = ['paths', path, known ? method : 'get'];
        const there = (known || /^40[45]$/.test(e.status)) && at(operation).responses[e.status];
        return { operation, known, response: there && resolve([...operation, 'responses', e.status]) };
    });
}

// what nginx itself, and the tests' configuration, add to answers

const others = /^(server|date|connection|content-(length|type|encoding)|transfer-encoding|x-worker|x-(cache-control|link|id|kind|wait)|access-control-.*)$/;

function checkHeaders(e, response) {
    // what an example for CORS adds
    e.headers.vary = e.headers.vary?.split(', ').filter(name => name !== 'Origin').join() || undefined;
    const declared = Object.keys(at(response).headers);
    const lower = declared.map(name => name.toLowerCase());
    for (const name in e.headers) {
        if (e.headers[name] !== undefined && !others.test(name) && !lower.includes(name)) throw `the header ${name} is not there`;
    }
    for (const name of declared) {
        const header = resolve([...response, 'headers', name]);
        const value = e.headers[name.toLowerCase()];
        if (value === undefined && at(header).required) throw `the header ${name} is missing`;
        const fault = value === undefined ? '' : fits([...header, 'schema'], value);
        if (fault) throw `the header ${name} is ${value}: ${fault}`;
    }
    const kept = e.status === '200' || e.status === '304' ? 'no-cache' : 'no-store';
    if (e.headers['cache-control'] !== kept) throw `Cache-Control is not ${kept}`;
}

// returns what coverage counts: the type, or the error

function checkBody(e, response) {
    const content = at(response).content;
    const [type] = (e.headers['content-type'] ?? '').split(';');
    if (content && !content[type]) throw `the type ${type} is not there`;
    if (!content || e.method === 'HEAD') {
        if (e.body !== '') throw 'there is a body';
        return '';
    }
    if (type === 'text/html') {
        if (!/^<!DOCTYPE html>/i.test(e.body) && !e.headers['content-encoding']) throw 'no page';
        if (!e.headers['content-security-policy']) throw 'a page without Content-Security-Policy';
        return type;
    }
    const json = JSON.parse(e.body);
    const fault = fits([...response, 'content', type, 'schema'], json);
    if (fault) throw fault;
    if (/answers\.t$/.test(e.test)) {
        const key = response.join(' ');
        examples.set(key, [...examples.get(key) ?? [], { told: mask(json), sent: e.sent }]);
    }
    return json.error ?? type;
}

// What a client sent and what became of it: what is done must be as the document has it; a
// parameter that is refused must not be.

function checkRequest(e, operation) {
    const op = at(operation);
    const parameters = (op.parameters ?? []).map((_, i) => resolve([...operation, 'parameters', i]));
    let fault = '';
    const seen = new Set();
    for (const [name, value = ''] of e.query.split('&').filter(Boolean).map(text => text.split(/=(.*)/s))) {
        const parameter = parameters.find(one => at(one).in === 'query' && at(one).name === name.toLowerCase());
        const given = /^\d+$/.test(value) ? Number(value) : value;
        if (!parameter) fault = `the parameter ${name} is not there`;
        else if (seen.has(name.toLowerCase())) fault = `the parameter ${name} is there twice`;
        else fault ||= fits([...parameter, 'schema'], given);
        seen.add(name.toLowerCase());
    }
    // a grant's parameters are ignored
    if (e.status[0] === '2' && fault && op.operationId !== 'issue') throw `done, but ${fault}`;
    if (/"bad_parameter"/.test(e.body) && !fault) throw 'the document allows the parameters';
    if (e.status === '201') {
        const body = JSON.parse(dechunked(e));
        fault = fits([...operation, 'requestBody', 'content', 'application/json', 'schema'], body);
        if (fault) throw `done, but the body: ${fault}`;
    }
    if (/"invalid_grant"/.test(e.body) && !beyond(e.body)) {
        fault = fits([...operation, 'requestBody', 'content', 'application/json', 'schema'], JSON.parse(dechunked(e)));
        if (!fault) throw 'the document allows the grant';
    }
}

// what a schema cannot say: what a text shows, how integers are written, what the ledger has

function beyond(body) {
    const { member, detail } = JSON.parse(body);
    return /^(name|address|capacity|reference)$/.test(member) || /one of the ledger's|not be later|integer/.test(detail);
}

function dechunked(e) {
    if (!/^Transfer-Encoding: *chunked/mi.test(e.fields)) return bytes(e.sent);
    let rest = e.sent, body = '', size;
    while ((size = parseInt(rest, 16))) {
        rest = rest.slice(rest.indexOf('\r\n') + 2);
        body += rest.slice(0, size);
        rest = rest.slice(size + 2);
    }
    return bytes(body);
}

function checkAt(e, { operation, known, response }) {
    if (!response) throw 'the status is not there';
    checkHeaders(e, response);
    const what = checkBody(e, response);
    if (known) checkRequest(e, operation);
    if (operation) met.add(`${operation.slice(1).join(' ')} ${e.status} ${what}`.trim());
}

function check(e) {
    const faults = [];
    for (const place of places(e)) {
        try {
            return checkAt(e, place);
        } catch (fault) {
            faults.push(fault);
        }
    }
    throw faults[0];
}

let count = 0, nginx = 0;
for (const name of fs.readdirSync(directory).sort()) {
    for (const line of fs.readFileSync(`${directory}/${name}`, 'utf8').split('\n')) {
        // who was killed may have left half a line
        if (!line.endsWith('}')) continue;
        const e = read(JSON.parse(line));
        count++;
        try {
            if (e.status === '100') nginx++;
            else if (e.headers['x-content-type-options'] === 'nosniff') check(e);
            else if (/json/.test(e.headers['content-type']) && /urn:stockcert|"(cert_id|seal)":/.test(e.body)) throw 'without X-Content-Type-Options';
            else nginx++;
        } catch (fault) {
            const key = `${e.method} ${e.status}: ${fault.stack ?? fault}`;
            if (!faults.has(key)) faults.set(key, `${e.test} ${e.path}?${e.query}\n    ${e.fields.replaceAll('\n', ' | ').slice(0, 300)}\n    ${e.sent.slice(0, 300)}\n    ${e.body.slice(0, 300)}`);
        }
    }
}


// All that the document has must have been met.

for (const path in spec.paths) for (const method of methods(path)) {
    for (const status in spec.paths[path][method].responses) {
        const response = resolve(['paths', path, method, 'responses', status]);
        const content = at(response).content ?? {};
        const forms = Object.keys(content).flatMap(type => type === 'application/problem+json'
            ? errors([...response, 'content', type, 'schema']) : type);
        for (const form of method === 'head' || !forms.length ? [''] : forms) {
            const key = `${path} ${method} ${status} ${form}`.trim();
            if (!met.has(key)) faults.set(`never met: ${key}`, '');
        }
    }
}


// Examples

function mask(json) {
    return JSON.stringify(json).replace(/"(\w+_at|seal)":"[^"]*"/g, '"$1":"…"');
}

for (const name in spec.components.responses) {
    const content = spec.components.responses[name].content ?? {};
    for (const type in content) for (const example in content[type].examples ?? {}) {
        const { value } = content[type].examples[example];
        const met = examples.get(`components responses ${name}`) ?? [];
        if (!met.some(answer => answer.told === mask(value)))
            faults.set(`no real answer: the example ${name}, ${example}`, met.map(answer => answer.told).join('\n    '));
    }
}

for (const [path, name] of [['/', 'Issued'], ['/transactions', 'Entered']]) {
    for (const [example, { value }] of Object.entries(spec.paths[path].post.requestBody.content['application/json'].examples)) {
        const told = spec.components.responses[name].content['application/json'].examples[example];
        const met = examples.get(`components responses ${name}`) ?? [];
        if (!met.some(answer => answer.sent === JSON.stringify(value) && answer.told === mask(told?.value ?? {})))
            faults.set(`the example ${example} of ${path} is not what was sent`, '');
    }
}

for (const [key, text] of faults) console.log(`${key}${text && `\n    ${text}`}`);
console.log(`${count} answers, ${nginx} of nginx itself; ${faults.size} faults`);
process.exit(faults.size || !count ? 1 : 0);
