import type { Announcer } from "./announcer.ts";

interface ConnectionWatch {
  announcer: Announcer;
  onChange: () => void;
}

/** Shows `notice` while the browser has no connection. */
export function showConnection(notice: HTMLElement, { announcer, onChange }: ConnectionWatch): void {
  const show = () => {
    notice.hidden = navigator.onLine;
    onChange();
  };
  addEventListener("offline", () => {
    show();
    announcer.say("You are offline. Photos that you add wait here.");
  });
  addEventListener("online", () => {
    show();
    announcer.say("You are online again.");
  });
  show();
}
