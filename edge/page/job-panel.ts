import { render } from "lit-html";
import { CaptionError } from "../../shared/errors.ts";
import { isOver, type Job, type ResultForm, resultTypes } from "../../shared/jobs.ts";
import type { Announcer } from "./announcer.ts";
import { download } from "./download.ts";
import { type JobActions, jobsView, sourceOf } from "./jobs-view.ts";
import type { KeyField } from "./key-field.ts";

/** Jobs that are shown, the newest: one page of the edge's list. */
const maxJobs = 100;
/** Time between two looks while photos are captioned, and while jobs only wait for changes or the edge cannot be reached. */
const askEveryMs = 3_000;
const askSeldomMs = 30_000;
/** Codes of an edge without jobs, and of keys that may not see any. */
const refusals: readonly string[] = ["not_found", "unauthorized", "forbidden"];

interface JobPanelParts {
  element: HTMLDetailsElement;
  key: KeyField;
  announcer: Announcer;
}

/**
 * The jobs of the key in the field, in a section that is hidden unless the deployment has jobs and the key may see them.
 * Without a key nothing is asked; after a refusal nothing more, until the key changes.
 */
export class JobPanel implements JobActions {
  readonly #parts: JobPanelParts;
  readonly #table: HTMLElement;
  #jobs: readonly Job[] = [];
  #isStale = false;
  #asking = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: JobPanelParts) {
    this.#parts = parts;
    this.#table = parts.element.appendChild(document.createElement("div"));
    parts.element.addEventListener("toggle", () => this.#refreshIfSeen());
    document.addEventListener("visibilitychange", () => this.#refreshIfSeen());
    parts.key.onChange(() => this.load());
  }

  /** Shows the jobs of the key that is in the field now. */
  load(): void {
    this.#parts.element.hidden = true;
    this.#jobs = [];
    void this.#refresh();
  }

  cancel = async ({ id, source }: Job): Promise<void> => {
    const question = `Cancel the job over ${sourceOf(source)}? The captions that it has made stay.`;
    if (!confirm(question)) return;
    try {
      const cancelled = await this.#parts.key.client.cancelJob(id);
      this.#jobs = this.#jobs.map((job) => (job.id === id ? cancelled : job));
      this.#parts.announcer.say(`The job over ${sourceOf(source)} is cancelled.`);
      this.#show();
    } catch (error) {
      this.#parts.announcer.show(`The job was not cancelled: ${messageOf(error)}.`);
    }
  };

  download = async ({ id }: Job, form: ResultForm): Promise<void> => {
    const { key, announcer } = this.#parts;
    try {
      const parts: string[] = [];
      for await (const page of key.client.jobResultPages(id, { form })) parts.push(page);
      download(`captions-${id.slice(0, 8)}.${form}`, { parts, type: resultTypes[form] });
    } catch (error) {
      announcer.show(`The results could not be read: ${messageOf(error)}.`);
    }
  };

  #refreshIfSeen(): void {
    if (this.#isSeen) void this.#refresh();
    else clearTimeout(this.#timer);
  }

  get #isSeen(): boolean {
    const { element } = this.#parts;
    return element.open && !element.hidden && !document.hidden;
  }

  /** Asks for the jobs, and again after a while if they change and somebody looks. */
  async #refresh(): Promise<void> {
    this.#asking.abort();
    clearTimeout(this.#timer);
    const { key, element } = this.#parts;
    if (!key.isFilled) return;
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    try {
      const jobs: Job[] = [];
      for await (const job of key.client.jobs({ signal })) if (jobs.push(job) === maxJobs) break;
      this.#announceEnds(jobs);
      this.#jobs = jobs;
      this.#isStale = false;
      element.hidden = false;
    } catch (error) {
      if (signal.aborted) return;
      this.#isStale = true;
      if (error instanceof CaptionError && refusals.includes(error.code)) element.hidden = true;
    }
    this.#show();
    const waitMs = this.#isStale ? askSeldomMs : waitBetween(this.#jobs);
    if (waitMs !== undefined && this.#isSeen) this.#timer = setTimeout(() => this.#refresh(), waitMs);
  }

  #announceEnds(jobs: readonly Job[]): void {
    for (const { id, state, source, done, failed } of jobs) {
      const before = this.#jobs.find((job) => job.id === id);
      if (before === undefined || isOver(before) || !isOver({ state })) continue;
      this.#parts.announcer.say(`The job over ${sourceOf(source)} is ${state}: ${done} captioned, ${failed} failed.`);
    }
  }

  #show(): void {
    render(jobsView({ jobs: this.#jobs, isStale: this.#isStale }, this), this.#table);
  }
}

/** Returns the time until jobs may look different; undefined if they will not. */
function waitBetween(jobs: readonly Job[]): number | undefined {
  const going = jobs.filter((job) => !isOver(job));
  if (going.length === 0) return undefined;
  const isWaiting = going.every(({ state, done, failed, listed }) => state === "following" && done + failed === listed);
  return isWaiting ? askSeldomMs : askEveryMs;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
