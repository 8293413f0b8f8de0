import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { parseSecrets } from "../../gpu-service/secrets.ts";
import { madeImage } from "../fixtures/made-images.ts";
import { secretMark } from "../support/leaks.ts";
import { postCaption, type RunningService, runService, startService } from "./running-service.ts";

const older = `the older of two secrets ${secretMark}`;
const newer = `the newer of two secrets ${secretMark}`;
const photo = await madeImage("png");

test.each([
  ["one a line", `${older}\n${newer}\n`],
  ["commas", `${older} , ${newer}`],
  ["a byte order mark, and lines as Windows ends them", `\uFEFF${older}\r\n\r\n${newer}\r\n`],
])("reads a list with %s", (_, list) => {
  expect(parseSecrets(list)).toEqual([older, newer]);
});

test("takes what a new file in the old one's place says, without a restart: both secrets, then the newer alone", async () => {
  const { path, service } = await serviceOf(older);
  expect(await statusesOf(service)).toEqual([200, 401]);
  await writeFile(`${path}.new`, `${older}\n${newer}\n`);
  await rename(`${path}.new`, path);
  await vi.waitFor(async () => expect(await statusesOf(service)).toEqual([200, 200]), 10_000);
  await writeFile(path, newer); // as a shell does, in place
  await vi.waitFor(async () => expect(await statusesOf(service)).toEqual([401, 200]), 10_000);

  expect(service.logged.filter(({ msg }) => msg === "read new secrets")).toMatchObject([
    { secrets: 2 },
    { secrets: 1 },
  ]);
  expect(JSON.stringify(service.logged)).not.toContain("of two secrets");
});

test("follows a link that is led elsewhere, as Kubernetes changes a mounted secret", async () => {
  const folder = await madeFolder();
  for (const [name, secret] of Object.entries({ one: older, two: newer })) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, "secrets"), secret);
  }
  await symlink("one", join(folder, "..data"));
  await symlink(join("..data", "secrets"), join(folder, "secrets"));
  const service = await startWith(join(folder, "secrets"));
  await symlink("two", join(folder, "..data_tmp"));
  await rename(join(folder, "..data_tmp"), join(folder, "..data"));

  await vi.waitFor(async () => expect(await statusesOf(service)).toEqual([401, 200]), 10_000);
});

test.each([
  ["is empty", (path: string) => writeFile(path, "\n"), "expected one or more secrets, received none"],
  ["has a secret too short", (path: string) => writeFile(path, "short"), "at least 16 characters, received one of 5"],
  ["is gone", (path: string) => rm(path), "received ENOENT"],
  [
    "became a folder",
    async (path: string) => {
      await rm(path);
      await mkdir(path);
    },
    "received something else of that name",
  ],
])("keeps the secrets, and says so once, where the file %s", async (_, spoil, reason) => {
  const { path, service } = await serviceOf(older);
  const errors = () => service.logged.filter(({ level }) => level === "error");
  await spoil(path);
  await vi.waitFor(() => expect(errors()).toHaveLength(1), 10_000);
  expect(await statusesOf(service)).toEqual([200, 401]);
  await rm(path, { recursive: true, force: true });
  await writeFile(path, newer);
  await vi.waitFor(async () => expect(await statusesOf(service)).toEqual([401, 200]), 10_000);

  expect(errors()[0]).toMatchObject({ error: expect.stringMatching(/^SERVICE_SECRETS_FILE: /) });
  expect(errors()[0]?.error).toContain(reason);
});

test("does not start without a file that can be used", async () => {
  const folder = await madeFolder();
  const { code, stderr } = await runService({ SERVICE_SECRETS: undefined, SERVICE_SECRETS_FILE: join(folder, "none") });

  expect(stderr).toBe(
    `edge-caption service: SERVICE_SECRETS_FILE: expected a file at ${join(folder, "none")}, received ENOENT\n`,
  );
  expect(code).toBe(1);
});

async function serviceOf(secrets: string): Promise<{ path: string; service: RunningService }> {
  const path = join(await madeFolder(), "secrets");
  await writeFile(path, secrets);
  return { path, service: await startWith(path) };
}

async function startWith(path: string): Promise<RunningService> {
  const service = await startService({ SERVICE_SECRETS: undefined, SERVICE_SECRETS_FILE: path });
  onTestFinished(async () => void (await service.stop()));
  return service;
}

async function madeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "secrets-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Of requests signed with the older and with the newer secret. */
function statusesOf(service: RunningService): Promise<number[]> {
  return Promise.all(
    [older, newer].map(async (secret) => {
      const response = await postCaption(service, photo, { secret });
      await response.body?.cancel();
      return response.status;
    }),
  );
}
