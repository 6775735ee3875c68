// A client that was generated from docs/openapi.yaml issues a certificate, reads it, and is
// told why another one is refused: node client.js URL

import createClient from 'openapi-fetch';
import type { components, paths } from './api';

// a page comes only where Accept asks for one
type Media = 'application/json' | 'application/problem+json';
const client = createClient<paths, Media>({ baseUrl: process.argv[2] });

async function main() {
    const grant: components['schemas']['Grant'] = { name: 'Salt Bae', amount: 10, class: 'CS' };
    const params = { header: { 'Idempotency-Key': 'generated' } };
    const { data, response } = await client.POST('/', { body: grant, params });
    if (!data) throw new Error(`issue: ${response.status}`);

    const path = { class: data.class, number: data.number };
    const { data: read } = await client.GET('/{class}-{number}', { params: { path } });
    if (read?.seal !== data.seal || read.status !== 'outstanding') throw new Error('read');

    const { error } = await client.POST('/', { body: { ...grant, amount: 3000000 } });
    if (!error || !('remaining' in error)) throw new Error('refused');

    const { data: transaction } = await client.POST('/transactions', {
        body: { type: 'transfer', from: [data.cert_id], to: [{ name: 'Bob', amount: 4 }], reference: 'A sale' },
    });
    if (transaction?.issued.length !== 2) throw new Error('transfer');
    console.log([data.cert_id, error.remaining, transaction.balance].join(' '));
}

main().catch(error => { console.error(error); process.exit(1); });
