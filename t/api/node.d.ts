// what client.ts uses of Node
declare const process: { argv: string[]; exit(status: number): never };
