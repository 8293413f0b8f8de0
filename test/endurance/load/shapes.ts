/** A load: who asks, and for what. */
export interface Shape {
  name: string;
  about: string;
  /** Clients that ask one thing after the other, each as soon as the last is answered. */
  connections: number;
  /** What a client asks for, over and over. */
  round: readonly ("known" | "new")[];
  /** Whether there is more than the service takes at once, so that some of it is refused. */
  isTooMuch?: true;
}

const nineteenKnown = Array<"known">(19).fill("known");

export const shapes = [
  { name: "cached", about: "photos that the edge knows", connections: 8, round: ["known"] },
  { name: "new", about: "photos that nobody has sent before", connections: 24, round: ["new"] },
  {
    name: "mixed",
    about: "19 photos that the edge knows, then a new one",
    connections: 8,
    round: [...nineteenKnown, "new"],
  },
  {
    name: "overload",
    about: "new photos from more clients than the service has places",
    connections: 128,
    round: ["new"],
    isTooMuch: true,
  },
] as const satisfies readonly Shape[];

/** What the soak is made of. */
export const soakShape: Shape = shapes[2];
