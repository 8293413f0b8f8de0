import { readFile } from "node:fs/promises";
import { join, posix, resolve } from "node:path";
import { Command } from "commander";
import { Application, Converter, LogLevel, type ProjectReflection, type Reflection } from "typedoc";
import * as z from "zod";
import { runProgram } from "../../terminal/run-program.ts";
import { repository } from "../repository.ts";
import { describeProperties } from "./describe-properties.ts";

const workspaceSchema = z.object({ name: z.string() });
const rootSchema = workspaceSchema.extend({
  /** What can be imported: sources by their paths in the package, `.` or `./client`. */
  exports: z.record(z.string(), z.string()),
  workspaces: z.array(z.string()),
});

/** `npm run tool -- api-reference`. Exit codes: 0 written, 1 something public has no comment, or another failure, 2 wrong usage. */
const program = new Command("npm run tool -- api-reference")
  .description(
    "Writes pages about everything that can be imported from the package, made of the sources' comments. Fails if something has none.",
  )
  .option("--out <folder>", "folder for the pages, which replace what is in it", "dist/api")
  .exitOverride()
  .action(async ({ out }: { out: string }) => {
    const folder = resolve(out);
    await writeReference(folder);
    console.log(join(folder, "index.html"));
  });

await runProgram(program);

async function writeReference(folder: string): Promise<void> {
  const { name, exports, workspaces } = await readManifest(repository, rootSchema);
  const rooms = await Promise.all(workspaces.map((path) => readManifest(join(repository, path), workspaceSchema)));
  const app = await Application.bootstrap({
    name,
    entryPoints: Object.values(exports).map((path) => join(repository, path)),
    tsconfig: join(repository, "scripts/build/tsconfig.types.json"),
    readme: "none",
    disableSources: true, // a clone does not know the address at which its sources can be read
    validation: { notExported: true, notDocumented: true, invalidLink: true },
    requiredToBeDocumented: ["Function", "Class", "Method", "Accessor", "Interface", "TypeAlias", "Variable"],
    packagesRequiringDocumentation: [name, ...rooms.map((room) => room.name)],
    logLevel: LogLevel.Warn,
  });
  describeProperties(app.converter);
  app.converter.on(Converter.EVENT_CREATE_PARAMETER, (_, parameter: Reflection) => {
    if (parameter.name === "__namedParameters") parameter.name = "options"; // TypeDoc's name for one that is taken apart at once
  });
  const project = await app.convert();
  if (project === undefined) throw new Error("the sources do not compile: npm run types says where");
  nameModules(project, { name, exports });
  app.validate(project);
  if (app.logger.hasWarnings()) throw new Error("expected a comment above everything that can be imported");
  await app.generateDocs(project, folder);
}

/** Calls modules what programs import them by, instead of by their files. */
function nameModules(
  project: ProjectReflection,
  { name, exports }: Pick<z.infer<typeof rootSchema>, "name" | "exports">,
) {
  for (const [path, source] of Object.entries(exports)) {
    const stem = posix.normalize(source).replace(/\.ts$/, "");
    const module = project.children?.find((child) => child.name === stem);
    if (module === undefined) throw new Error(`expected a module ${stem}, found none`);
    module.name = posix.join(name, path);
  }
}

async function readManifest<Manifest>(folder: string, schema: z.ZodType<Manifest>): Promise<Manifest> {
  return schema.parse(JSON.parse(await readFile(join(folder, "package.json"), "utf8")));
}
