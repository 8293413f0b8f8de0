/** The rules for addresses of photos. They are shared with the command line; this path stays for programs that check them. */
export { expectFetchable, type SourceRules } from "../shared/source-address.ts";
