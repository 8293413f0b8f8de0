/** The searches by which a model is scored, with their beams; 1 is greedy search. */
export const searches = { greedy: 1, "beam 3": 3, "beam 5": 5 } as const;

export type SearchName = keyof typeof searches;

export const searchNames = Object.keys(searches) as SearchName[];
