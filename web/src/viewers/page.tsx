// Who watches the live stream, how well they keep up, and the end of a stream that should not be.
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { get, request } from "../api/client.ts";
import type { ViewerItem, Viewers } from "../api/types.gen.ts";
import { age, fixed, moment, text } from "../format.ts";
import { now } from "../live/session.ts";
import { deviceOf } from "../people/device.ts";
import { Restricted } from "../people/restricted.tsx";
import { Action } from "../shell/allowed.tsx";
import { Loaded, useAsked } from "../shell/loaded.tsx";
import { Question } from "../shell/question.tsx";
import { Scroller } from "../shell/scroller.tsx";
import { Nothing } from "../shell/states.tsx";
import { useTitle } from "../shell/title.ts";
import { watchedWords } from "./words.ts";
import "../style/people.css";

/** How often it is asked for. */
const EVERY_MS = 2000;
const ask = async (signal: AbortSignal) => (await get<Viewers>("/viewers", signal)).viewers;

export function ViewersPage() {
  useTitle("Viewers");
  return (
    <Restricted needs="operator" title="Viewers">
      <Watching />
    </Restricted>
  );
}

export function Watching() {
  const viewers = useAsked(ask);
  const ended = useSignal<ViewerItem | null>(null);
  const turn = useComputed(() => Math.floor(now.value / EVERY_MS));
  useSignalEffect(() => {
    turn.value;
    if (viewers.state.peek().error === null) viewers.refresh();
  });
  return (
    <>
      <Loaded from={viewers} what="The viewers">
        {(all) =>
          all.length === 0 ? (
            <Nothing>Nobody watches the live stream now.</Nothing>
          ) : (
            <ViewerTable
              viewers={all}
              onEnd={(viewer) => {
                ended.value = viewer;
              }}
            />
          )
        }
      </Loaded>
      {ended.value && (
        <Question
          title={`Disconnect ${ended.value.person}?`}
          yes="Disconnect"
          act={() => request("DELETE", `/viewers/${ended.value?.id}`)}
          onClosed={(done) => {
            ended.value = null;
            if (done) viewers.load();
          }}
        >
          <p>
            The stream ends at once. A dashboard connects again by itself; to keep somebody out, end their session under{" "}
            <a href="/people">People</a>.
          </p>
        </Question>
      )}
    </>
  );
}

function ViewerTable({ viewers, onEnd }: { viewers: readonly ViewerItem[]; onEnd: (viewer: ViewerItem) => void }) {
  return (
    <Scroller label="Viewers, scrolls sideways" class="panel table-panel listing">
      <table>
        <thead>
          <tr>
            <th scope="col">Who</th>
            <th scope="col">With</th>
            <th scope="col">From</th>
            <th scope="col">Looks at</th>
            <th scope="col">State</th>
            <th scope="col" class="n">
              For
            </th>
            <th scope="col" class="n">
              Lag
            </th>
            <th scope="col" class="n">
              Sent
            </th>
            <th scope="col" class="n">
              Dropped
            </th>
            <th scope="col">
              <span class="hidden">Disconnect</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {viewers.map((viewer) => (
            <tr key={viewer.id} data-viewer={viewer.id}>
              <th scope="row">{viewer.person}</th>
              <td title={viewer.user_agent}>{deviceOf(viewer.user_agent)}</td>
              <td>{viewer.address || "unknown"}</td>
              <td>{watchedWords(viewer.selection)}</td>
              <td>{viewer.state}</td>
              <td class="n" title={moment(viewer.since)}>
                {age(now.value - viewer.since)}
              </td>
              <td class="n">{text(viewer.lag_ms, "ms")}</td>
              <td class="n">{fixed(viewer.sent, 0)}</td>
              <td class={`n ${viewer.dropped > 0 ? "tone-warning" : ""}`}>{fixed(viewer.dropped, 0)}</td>
              <td class="n">
                <Action needs="admin" onClick={() => onEnd(viewer)}>
                  Disconnect
                  <span class="hidden">
                    {" "}
                    {viewer.person} with {deviceOf(viewer.user_agent)}
                  </span>
                </Action>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
