// Pages are fetched when they are first opened.
import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { Waiting } from "./states.tsx";

/** The component that `load` brings; `what` is it called while it is on its way, of which one that is `quiet` says nothing. */
export function lazy<P extends object>(
  what: string,
  load: () => Promise<ComponentType<P>>,
  quiet = false,
): ComponentType<P> {
  const found = signal<ComponentType<P> | null>(null);
  const failed = signal(false);
  let asked = false;
  function ask(): void {
    if (asked) return;
    asked = true;
    failed.value = false;
    load().then(
      (component) => {
        found.value = component;
      },
      () => {
        asked = false;
        failed.value = true;
      },
    );
  }
  return function Lazy(properties: P) {
    useEffect(ask, []);
    const Found = found.value;
    if (Found) return <Found {...properties} />;
    if (!failed.value) return quiet ? null : <Waiting what={what} />;
    return (
      <div class="failed" role="alert">
        <p>
          <b>{what.charAt(0).toUpperCase() + what.slice(1)} could not be loaded.</b> The gateway does not answer, or it
          was upgraded meanwhile.
        </p>
        <button type="button" onClick={() => location.reload()}>
          Reload
        </button>
      </div>
    );
  };
}
