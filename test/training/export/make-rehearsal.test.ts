import { expect, test } from "vitest";
import { chooseRehearsal } from "../../../training/export/make-rehearsal.ts";
import { randomFor, shuffled } from "../../../training/keyed-random.ts";

/** Photos of a group, most of them of a dog; every tenth has a word of its own. */
function candidatesOf(group: string, count: number) {
  return Array.from({ length: count }, (_, index) => ({
    key: `${(index * 7919) % count}`.padStart(5, "0"),
    group,
    words: new Set(["dog", "grass", index % 10 === 0 ? `${group}-${index}` : "runs"]),
  }));
}

test("each group gives as many as the others, a small one all it has, whatever order they come in", () => {
  const candidates = [...candidatesOf("large", 400), ...candidatesOf("other", 300), ...candidatesOf("small", 7)];
  const chosen = chooseRehearsal(candidates, 107);
  const counted = (group: string) => chosen.filter((photo) => photo.group === group).length;
  expect([counted("small"), counted("large"), counted("other")]).toEqual([7, 50, 50]);
  expect(new Set(chosen).size).toBe(107);
  expect(chooseRehearsal(shuffled(candidates, randomFor(1)), 107)).toEqual(chosen);
});

test("half are chosen for the words that no other has", () => {
  const chosen = chooseRehearsal(candidatesOf("large", 400), 80);
  const rare = chosen.filter(({ words }) => !words.has("runs")).length;
  expect(rare).toBe(40); // all that there are
  expect(chooseRehearsal(candidatesOf("large", 30), 80)).toHaveLength(30);
});
