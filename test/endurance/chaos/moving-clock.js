// Preloaded into a service: each SIGWINCH moves its clock on, ahead by four minutes, by six, and back. Plain JavaScript, since it
// may come before what translates TypeScript.
const minutesAhead = [0, 4, 6];
let turn = 0;

const RealDate = Date;
const nowMs = () => RealDate.now() + (minutesAhead[turn % minutesAhead.length] ?? 0) * 60_000;

globalThis.Date = new Proxy(RealDate, {
  construct: (real, args, target) => Reflect.construct(real, args.length === 0 ? [nowMs()] : args, target),
  get: (real, name) => (name === "now" ? nowMs : Reflect.get(real, name)),
});
process.on("SIGWINCH", () => {
  turn += 1;
});
