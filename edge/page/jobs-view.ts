import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { isOver, type Job, type ResultForm } from "../../shared/jobs.ts";
import { asCount, asRate, asTimeLeft } from "./format.ts";

/** Actions of a job's buttons. */
export interface JobActions {
  cancel(job: Job): void;
  download(job: Job, form: ResultForm): void;
}

interface ShownJobs {
  jobs: readonly Job[];
  /** Whether the edge could not be asked the last time. */
  isStale: boolean;
}

const columns = ["Photos", "State", "Progress", "From the cache", "Failed", "Rate", "Time left", "Results"];

/** Renders jobs as a table. Roles are spelt out, since on a phone its rows are laid out as blocks. */
export function jobsView({ jobs, isStale }: ShownJobs, actions: JobActions): TemplateResult {
  const note = isStale
    ? html`<p class="stale">The edge does not answer at present. It will be asked again.</p>`
    : nothing;
  if (jobs.length === 0) {
    return html`${note}<p>This key has no jobs yet. <code>POST /v1/jobs</code> or <code>edge-caption jobs start</code> starts one.</p>`;
  }
  return html`${note}
    <table role="table" aria-label="Jobs of this key">
      <thead role="rowgroup">
        <tr role="row">
          ${columns.map((column) => html`<th role="columnheader" scope="col">${column}</th>`)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${repeat(
          jobs,
          ({ id }) => id,
          (job) => rowView(job, actions),
        )}
      </tbody>
    </table>`;
}

/** Names what a job captions. */
export function sourceOf(source: Job["source"]): string {
  return "bucket" in source ? `${source.bucket}/${source.prefix}` : `${asCount(source.urls)} addresses`;
}

function rowView(job: Job, actions: JobActions): TemplateResult {
  const { state, reason, cached, failed, photosPerSecond, secondsLeft } = job;
  const hasRate = photosPerSecond !== undefined && state !== "following"; // a job that waits for photos has none
  const isLeft = secondsLeft !== undefined && secondsLeft > 0;
  return html`<tr role="row" data-state=${state}>
    <th role="rowheader" scope="row"><span class="source">${sourceOf(job.source)}</span> <small>${startOf(job)}</small></th>
    <td role="cell"><span class="state">${state}</span>${reason === undefined ? nothing : html` <small>${reason}</small>`}</td>
    <td role="cell">${progressView(job)}</td>
    ${figure("From the cache", asCount(cached))} ${figure("Failed", asCount(failed))}
    ${figure("Rate", hasRate ? asRate(photosPerSecond) : "")} ${figure("Time left", isLeft ? asTimeLeft(secondsLeft) : "")}
    <td role="cell"><div class="actions">${resultButtons(job, actions)}</div></td>
  </tr>`;
}

/** Renders a cell that on a phone has its column's name before it, and is left out there if it is empty. */
function figure(name: string, value: string): TemplateResult {
  return html`<td role="cell" class="figure" data-name=${name}>${value}</td>`;
}

function progressView({ state, source, listed, done, failed }: Job): TemplateResult {
  const ended = done + failed;
  const counts = `${asCount(ended)} of ${asCount(listed)}${state === "listing" ? " so far" : ""}`;
  return html`<progress aria-label=${`Progress of ${sourceOf(source)}`} max=${Math.max(1, listed)} value=${ended}></progress>
    <span class="counts">${counts}</span>`;
}

function resultButtons(job: Job, actions: JobActions): TemplateResult {
  const about = html`<span class="for-readers"> of ${sourceOf(job.source)}</span>`;
  const buttonOf = (form: ResultForm, name: string) =>
    html`<button type="button" @click=${() => actions.download(job, form)}>${name}${about}</button>`;
  return html`${buttonOf("csv", "CSV")} ${buttonOf("jsonl", "JSON lines")}
    ${isOver(job) ? nothing : html`<button type="button" @click=${() => actions.cancel(job)}>Cancel${about}</button>`}`;
}

function startOf({ createdAt }: Job): string {
  return new Date(createdAt).toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
}
