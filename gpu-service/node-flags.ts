/** What Node is started with for the service, see docs/decisions.md. Images and package.json say the same. */
export const nodeFlags: readonly string[] = ["--heap-growing-percent=400"];
