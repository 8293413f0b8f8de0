import { expect, test } from "vitest";
import { pickExamples } from "../../../training/report/pick-examples.ts";

/** Photos whose beam 3 has these CIDEr, called by their place. */
function photos(ciders: readonly number[]) {
  return ciders.map((cider, index) => ({
    ...{ id: `${index}`.padStart(3, "0"), file: "", greedy: "", "beam 3": "", references: [] },
    cider: { greedy: 0, "beam 3": cider },
    rougeL: (index % 7) / 7,
  }));
}

const idsOf = (chosen: readonly { id: string }[]) => chosen.map(({ id }) => id);

test("chooses the best, the worst and random photos, the same ones each time", () => {
  const all = photos(Array.from({ length: 100 }, (_, index) => (37 * index) % 100));
  const { best, worst, random } = pickExamples(all);
  expect(best.map(({ cider }) => cider["beam 3"])).toEqual([99, 98, 97, 96, 95, 94, 93, 92, 91, 90]);
  expect(worst.map(({ cider }) => cider["beam 3"])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(new Set(idsOf(random)).size).toBe(10);
  expect(idsOf(pickExamples(all).random)).toEqual(idsOf(random));
});

test("decides among equal CIDEr by ROUGE-L, then by name", () => {
  const { worst } = pickExamples(photos(new Array(30).fill(0)));
  expect(worst.map(({ rougeL }) => Math.round(7 * rougeL))).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  expect(idsOf(worst)).toEqual(["028", "021", "014", "007", "000", "029", "022", "015", "008", "001"]);
});

test("shows none as the best and the worst where there are few", () => {
  for (const count of [1, 2, 3, 10, 29]) {
    const { best, worst } = pickExamples(photos(Array.from({ length: count }, (_, index) => index)));
    expect(best.length).toBe(Math.ceil(count / 3));
    expect(idsOf(worst).filter((id) => idsOf(best).includes(id))).toEqual([]);
  }
});
