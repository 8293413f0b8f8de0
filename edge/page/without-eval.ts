import * as z from "zod";

/** Compiling schemas needs eval, which the page's content security policy forbids. Must run before any schema is made. */
z.config({ jitless: true });
