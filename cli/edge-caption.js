#!/usr/bin/env node
// The `edge-caption` command of a clone (npm link, or npm install --global .): TypeScript runs through tsx.
import { register } from "tsx/esm/api";

register();
await import("./main.ts");
