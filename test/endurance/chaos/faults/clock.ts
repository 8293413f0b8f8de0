import type { Fault, Scene } from "../fault.ts";

export const moveClock: Fault = {
  name: "move-clock",
  about: "the service's clock is set four minutes ahead, then six, then right again",
  promise:
    "up to five minutes change nothing; beyond that, new photos get 502 and what is cached is answered; once it is right, everything works at once",
  mayRefuse: ["upstream_error"],
  recoverySeconds: 2,
  service: ({ args, ...program }) => ({
    ...program,
    args: ["--import", import.meta.resolve("../moving-clock.js"), ...args],
  }),
  async run(scene) {
    moveOn(scene);
    await scene.hold(4);
    const { requests } = scene;
    scene.expect(
      requests.every(({ verdict }) => verdict.kind === "answered"),
      "nothing is refused at four minutes",
    );
    moveOn(scene);
    await scene.hold(5);
    scene.expect(
      requests.some(({ verdict }) => verdict.kind === "refused"),
      "photos are refused at six minutes",
    );
    moveOn(scene);
    scene.mended();
  },
};

function moveOn({ deployment }: Scene): void {
  process.kill(deployment.service.kept.pid, "SIGWINCH");
}
