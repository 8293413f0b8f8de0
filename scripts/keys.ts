import { runProgram } from "../terminal/run-program.ts";
import { keysCommand } from "./keys/command.ts";
import { createKey, listKeys, revokeKey } from "./keys/key-store.ts";

/** `npm run tool -- keys`. Exit codes: 0 done, 1 something failed, 2 wrong usage. */
await runProgram(keysCommand({ create: createKey, list: listKeys, revoke: revokeKey }));
