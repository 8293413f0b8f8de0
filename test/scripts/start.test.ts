import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { captionResultSchema } from "../../shared/contract.ts";
import { madeImage, textFile, truncatedJpeg } from "../fixtures/made-images.ts";
import { freePort, takePort } from "../support/free-port.ts";
import { untilUp, Workplace } from "./start-script.ts";

let workplace: Workplace;
let photo: string;

const halfJpeg = await truncatedJpeg();

beforeAll(async () => {
  workplace = await Workplace.make();
  photo = await workplace.write("my photo.jpg", await madeImage("jpeg"));
});
afterAll(() => workplace.remove());

describe("npm start", { timeout: 60_000 }, () => {
  test("captions a photo, says where the servers are, and the next time answers from the cache", async () => {
    const first = await workplace.runToEnd(["--once", photo]);
    const second = await workplace.runToEnd(["--once", photo]);

    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toMatch(/confidence +0\.\d\d, from the model \(Cache-Status: edge-caption; fwd=miss/);
    expect(first.stdout).toMatch(/edge +http:\/\/127\.0\.0\.1:\d+\n +service +http:\/\/127\.0\.0\.1:\d+/);
    expect(second.stdout).toMatch(/from the cache \(Cache-Status: edge-caption; hit/);
  });

  test("prints a curl that captions the photo again, from the cache", async () => {
    const run = workplace.start([photo]);
    await untilUp(run);
    const [curl = ""] = run.stdout().match(/^ +curl .+$/m) ?? [];
    const { stdout } = await promisify(execFile)("sh", ["-c", `${curl} --silent --include`]);
    run.process.kill("SIGINT");
    const [head = "", body = ""] = stdout.split("\r\n\r\n");

    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).toMatch(/^Cache-Status: edge-caption; hit/m);
    expect(captionResultSchema.parse(JSON.parse(body)).image.format).toBe("jpeg");
    expect(await run.exited).toBe(0);
  });

  test("gives the edge the settings that --var names", async () => {
    const run = workplace.start([photo, "--var", "CORS_ORIGINS=https://app.example", "--var", "MAX_BYTES=100"]);
    await vi.waitFor(() => expect(run.stderr()).toMatch(/payload_too_large|at most 100 bytes/), { timeout: 40_000 });
    expect(await run.exited).toBe(1);
    const staying = workplace.start([photo, "--var", "CORS_ORIGINS=https://app.example"]);
    await untilUp(staying);
    const [, edge = ""] = staying.stdout().match(/edge +(http\S+)/) ?? [];
    const { headers } = await fetch(`${edge}/v1/model`, { headers: { Origin: "https://app.example" } });
    staying.process.kill("SIGINT");

    expect(headers.get("Access-Control-Allow-Origin")).toBe("https://app.example");
    expect(await staying.exited).toBe(0);
  });

  test.each([
    ["CORS=*", "--var CORS: the edge has no such setting (docs/edge.md describes the settings)\n", 1],
    ["CORS_ORIGINS=me", /^--var CORS_ORIGINS: expected origins such as https:.+, or \* \(docs.+\)\n$/, 1],
    ["SERVICE_SECRET=0123456789abcdef", "--var SERVICE_SECRET: npm start sets it by itself\n", 1],
    ["CORS_ORIGINS", /^error: .+ such as CORS_ORIGINS=\*\.\n$/, 2],
  ])("says in one sentence what is wrong with --var %s", async (variable, sentence, code) => {
    const ended = await workplace.runToEnd(["--var", variable, photo]);

    expect(ended.stderr).toMatch(sentence);
    expect(ended.code).toBe(code);
  });

  test("captions a photo of the repository's own when none is named", async () => {
    const { code, stdout } = await workplace.runToEnd(["--once"]);

    expect(stdout).toMatch(/photo +.*samples\/\w+\.jpg/);
    expect(code).toBe(0);
  });

  test("says of a place that it cannot write to why, before anything is started", async () => {
    const stateDir = join(photo, "state");
    const { code, stdout, stderr } = await workplace.runToEnd(["--state-dir", stateDir]);

    const reason = "a part of the path is a file, expected folders";
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: `${stateDir}: npm start has to write files there and cannot: ${reason}\n`,
    });
  });

  test.each(["--port", "--service-port"])("says in one sentence that the port of %s is taken", async (option) => {
    const { port, server } = await takePort();
    const { code, stderr } = await workplace.runToEnd([option, String(port), photo]);
    server.close();

    expect(stderr).toBe(
      `port ${port} is taken: stop what listens there, or choose another with ${option} (0 takes any)\n`,
    );
    expect(code).toBe(1);
  });

  test.each([
    { what: "a text file", file: textFile(), sentence: "expected a JPEG, PNG, .+ received .+" },
    { what: "an empty file", file: new Uint8Array(), sentence: "expected a JPEG, PNG, .+ received .+" },
    { what: "a truncated JPEG", file: halfJpeg, sentence: "the jpeg image .+" },
  ])("says in one sentence what is wrong with $what", async ({ file, sentence }) => {
    const path = await workplace.write("unreadable.jpg", file);
    const { code, stdout, stderr } = await workplace.runToEnd([path]);

    expect(stderr).toMatch(new RegExp(`^${path}: ${sentence}\n$`));
    expect(stdout).toBe("");
    expect(code).toBe(1);
  });

  test.each([
    { what: "a missing file", name: "missing.jpg", sentence: "there is no such file or folder" },
    { what: "a folder", name: ".", sentence: "it is a folder, expected a photo" },
  ])("says in one sentence that it was given $what", async ({ name, sentence }) => {
    const path = join(workplace.folder, name);

    expect(await workplace.runToEnd([path])).toEqual({ code: 1, stdout: "", stderr: `${path}: ${sentence}\n` });
  });

  test("says in one sentence what is wrong with the model", async () => {
    const { code, stderr } = await workplace.runToEnd([photo, "--model-dir", "/nowhere"]);

    expect(stderr).toMatch(/^the service ended with 1: .*\/nowhere.*\n$/);
    expect(code).toBe(1);
  });

  test("says in one sentence that both servers were given one port", async () => {
    const port = String(await freePort());
    const { code, stderr } = await workplace.runToEnd([photo, "--port", port, "--service-port", port]);

    expect(stderr).toBe(`expected two ports, received ${port} for both --port and --service-port\n`);
    expect(code).toBe(1);
  });

  test.each([[["--port", "many"]], [["--colour"]], [["one.jpg", "two.jpg"]]])(
    "refuses the arguments %j",
    async (args) => {
      const { code, stderr } = await workplace.runToEnd(args);

      expect(stderr).toMatch(/^error: .+\n$/);
      expect(code).toBe(2);
    },
  );

  test("teaches by example with --help", async () => {
    const { code, stdout } = await workplace.runToEnd(["--help"]);

    expect(stdout).toContain("npm start -- holiday.jpg");
    expect(code).toBe(0);
  });
});
