import { appendFile, chmod, readFile, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { FeatureStore } from "../../../training/features/feature-store.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";

const kind = { encoder: "0123456789ab", featureSize: 3 };
const plain = (photo: string) => ({ sha256: photo.repeat(64), isMirrored: false });

async function openStore(path: string, ofKind = kind): Promise<FeatureStore> {
  const store = await FeatureStore.open(path, ofKind);
  onTestFinished(() => store.close());
  return store;
}

async function storeOfTwo(): Promise<string> {
  const path = join(await temporaryFolder(), "features");
  const store = await openStore(path);
  await store.append([plain("a"), { ...plain("a"), isMirrored: true }], Float32Array.of(1, 2, 3, 4, 5, 6));
  return path;
}

describe("a store of features", () => {
  test("gives back what was added, the mirror image's beside the photo's", async () => {
    const store = await openStore(await storeOfTwo());
    expect([store.has(plain("a")), store.has(plain("b"))]).toEqual([true, false]);
    expect(await store.read(plain("a"))).toEqual(Float32Array.of(1, 2, 3));
    expect(await store.read({ ...plain("a"), isMirrored: true })).toEqual(Float32Array.of(4, 5, 6));
    await expect(store.read(plain("b"))).rejects.toThrow(
      `expected features of photo ${"b".repeat(64)}, found none: run the stage features with the same flags`,
    );
  });

  test("of another encoder is refused and left as it is", async () => {
    const path = await storeOfTwo();
    const other = { ...kind, encoder: "ba9876543210" };
    const message = `${path}.jsonl: expected features of encoder ba9876543210, found 0123456789ab`;
    await expect(FeatureStore.openToRead(path, other)).rejects.toThrow(message);
    await expect(FeatureStore.open(path, other)).rejects.toThrow(message);
    expect((await openStore(path)).has(plain("a"))).toBe(true);
  });

  test("is only read by a reader, even while somebody adds to it", async () => {
    const path = await storeOfTwo();
    await appendFile(`${path}.bin`, Buffer.alloc(17)); // what is being added
    await chmod(`${path}.bin`, 0o400);
    const reader = await FeatureStore.openToRead(path, kind);
    onTestFinished(() => reader.close());
    expect(await reader.read(plain("a"))).toEqual(Float32Array.of(1, 2, 3));
    expect((await stat(`${path}.bin`)).size).toBe(2 * 12 + 17);
  });

  test.each<[string, (path: string) => Promise<void>, number]>([
    ["values without a line", (path) => appendFile(`${path}.bin`, Buffer.alloc(17)), 2],
    ["half a line", (path) => appendFile(`${path}.jsonl`, '{"photo":"cc'), 2],
    ["a line that is damaged", (path) => appendFile(`${path}.jsonl`, "{]\n"), 2],
    ["a line without values", (path) => truncate(`${path}.bin`, 20), 1],
  ])("that a kill left with %s goes on behind its whole rows", async (_, spoil, rows) => {
    const path = await storeOfTwo();
    await spoil(path);
    const store = await openStore(path);
    expect(store.has({ ...plain("a"), isMirrored: true })).toBe(rows === 2);
    await store.append([plain("c")], Float32Array.of(7, 8, 9));
    const again = await openStore(path);
    expect(await again.read(plain("a"))).toEqual(Float32Array.of(1, 2, 3));
    expect(await again.read(plain("c"))).toEqual(Float32Array.of(7, 8, 9));
    expect((await stat(`${path}.bin`)).size).toBe((rows + 1) * 12);
    expect((await readFile(`${path}.jsonl`, "utf8")).split("\n")).toHaveLength(rows + 3); // header, rows, the end
  });

  test("is not taken for one when its index is another file, which stays", async () => {
    const path = await storeOfTwo();
    await writeFile(`${path}.jsonl`, "photos\n");
    await expect(FeatureStore.open(path, kind)).rejects.toThrow(
      `${path}.jsonl: expected an index of features, found another file: delete it`,
    );
    expect(await readFile(`${path}.jsonl`, "utf8")).toBe("photos\n");
  });

  test("says in a sentence that the disk is full, and keeps what it had", async () => {
    const path = join(await temporaryFolder(), "features");
    await symlink("/dev/full", `${path}.bin`);
    const store = await openStore(path);
    await expect(store.append([plain("a")], Float32Array.of(1, 2, 3))).rejects.toThrow(
      `${path}.bin: the disk is full: make room, or choose another place, and start again`,
    );
    expect(store.has(plain("a"))).toBe(false);
    expect((await readFile(`${path}.jsonl`, "utf8")).split("\n")).toHaveLength(2);
  });
});
