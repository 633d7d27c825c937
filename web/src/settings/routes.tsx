// Which alerts go where: routes in the order in which they are tried, and the dialog to write one.
import { useSignal } from "@preact/signals";
import { routeWords } from "../alerts/telling.ts";
import { request } from "../api/client.ts";
import type { StoredRoute } from "../api/types.gen.ts";
import { lacking } from "../login/me.ts";
import { Action } from "../shell/allowed.tsx";
import { lazy } from "../shell/lazy.tsx";
import { Loaded } from "../shell/loaded.tsx";
import { useOpening } from "../shell/opening.ts";
import { Question } from "../shell/question.tsx";
import { useSending } from "../shell/sending.ts";
import { Nothing } from "../shell/states.tsx";
import { routes, useRoutes } from "./routes_data.ts";
import "../style/alerts.css";
import "../style/telling.css";

const RouteEditor = lazy("the form", async () => (await import("./route_editor.tsx")).RouteEditor);

export function RoutesSection() {
  useRoutes();
  const edited = useSignal<StoredRoute | "new" | null>(null);
  useOpening("new", "route", lacking("operator") === null, () => {
    edited.value = "new";
  });
  return (
    <section class="panel group" aria-labelledby="routes">
      <header>
        <h2 id="routes">Routes</h2>
        <Action
          needs="operator"
          onClick={() => {
            edited.value = "new";
          }}
        >
          New route
        </Action>
      </header>
      <Loaded from={routes} what="The routes">
        {(all) => (
          <>
            {all.unreadable.map((item) => (
              <p key={item.id} class="notice warn">
                The route {item.id} cannot be read, and has no effect: {item.reason}.
              </p>
            ))}
            {all.routes.length === 0 ? (
              <Nothing>There are no routes: every channel is told of every alert.</Nothing>
            ) : (
              <ol class="rules">
                {all.routes.map((stored, index) => (
                  <Row
                    key={stored.route.id}
                    stored={stored}
                    ids={all.routes.map(({ route }) => route.id)}
                    index={index}
                    onEdit={() => {
                      edited.value = stored;
                    }}
                  />
                ))}
              </ol>
            )}
          </>
        )}
      </Loaded>
      {edited.value !== null && (
        <RouteEditor
          stored={edited.value === "new" ? null : edited.value}
          onClosed={() => {
            edited.value = null;
            routes.load();
          }}
        />
      )}
    </section>
  );
}

interface RowProps {
  stored: StoredRoute;
  ids: readonly string[];
  index: number;
  onEdit: () => void;
}

function Row({ stored: { route, version }, ids, index, onEdit }: RowProps) {
  const { failure, send } = useSending();
  const removing = useSignal(false);
  /** One place earlier. */
  async function raise(): Promise<void> {
    const order = [...ids];
    order.splice(index, 1);
    order.splice(index - 1, 0, route.id);
    await send(() => request("POST", "/routes/order", { body: { routes: order } }));
    routes.load();
  }
  return (
    <li class={`rule panel ${route.enabled ? "" : "disabled"}`} data-route={route.id}>
      <div class="sentence">
        <h3>
          {route.name} <code class="muted">{route.id}</code>
          {!route.enabled && <span class="off">off</span>}
        </h3>
        <p>
          {routeWords(route)}
          {route.owner && ` Kept in a file by ${route.owner}.`}
        </p>
      </div>
      <div class="row-actions">
        {index > 0 && (
          <Action needs="operator" onClick={() => void raise()}>
            Try earlier<span class="hidden">: {route.name}</span>
          </Action>
        )}
        <Action needs="operator" onClick={onEdit}>
          Edit<span class="hidden"> {route.name}</span>
        </Action>
        <Action
          needs="operator"
          class="quiet"
          onClick={() => {
            removing.value = true;
          }}
        >
          Delete<span class="hidden"> {route.name}</span>
        </Action>
      </div>
      {failure && (
        <p class="error" role="alert">
          {failure.message}
        </p>
      )}
      {removing.value && (
        <Question
          title={`Delete the route ${route.name}?`}
          yes="Delete"
          act={() => request("DELETE", `/routes/${route.id}`, { version })}
          onClosed={() => {
            removing.value = false;
            routes.load();
          }}
        >
          <p>What it took goes by the routes after it; what none takes goes to every channel.</p>
        </Question>
      )}
    </li>
  );
}
