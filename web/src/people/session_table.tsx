// Sessions, the latest used first, each with its end.
import { useSignal } from "@preact/signals";
import type { Session } from "../api/types.gen.ts";
import { moment, recent } from "../format.ts";
import { minute } from "../live/every.ts";
import { leave } from "../login/me.ts";
import { Question } from "../shell/question.tsx";
import { Scroller } from "../shell/scroller.tsx";
import { useSending } from "../shell/sending.ts";
import { deviceOf } from "./device.ts";
import { endSession } from "./end_session.ts";
import "../style/people.css";

interface SessionTableProps {
  sessions: readonly Session[];
  /** Whether to say whose each is. */
  named: boolean;
  onEnded: () => void;
}

export function SessionTable({ sessions, named, onEnded }: SessionTableProps) {
  const { failure, send } = useSending();
  /** Ending this one logs out: that is asked first. */
  const leaving = useSignal(false);
  const sorted = [...sessions].sort((a, b) => Number(b.this) - Number(a.this) || b.seen - a.seen);

  async function end({ id, this: own }: Session): Promise<void> {
    if (own) leaving.value = true;
    else {
      await send(() => endSession(id));
      onEnded();
    }
  }
  return (
    <>
      {failure && (
        <p class="error" role="alert">
          {failure.message}
        </p>
      )}
      <Scroller label="Sessions, scrolls sideways" class="listing">
        <table>
          <thead>
            <tr>
              {named && <th scope="col">Who</th>}
              <th scope="col">With</th>
              <th scope="col">From</th>
              <th scope="col">Logged in</th>
              <th scope="col">Last used</th>
              <th scope="col">
                <span class="hidden">End</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((one) => (
              <tr key={one.id} data-session={one.id}>
                {named && <th scope="row">{one.user}</th>}
                <td title={one.user_agent}>
                  {deviceOf(one.user_agent)}
                  {one.this && <span class="badge">this one</span>}
                </td>
                <td>{one.address || "unknown"}</td>
                <td title={`${moment(one.created)}; ends ${moment(one.expires)}`}>
                  {recent(one.created, minute.value)}
                </td>
                <td title={moment(one.seen)}>{recent(one.seen, minute.value)}</td>
                <td class="n">
                  <button type="button" onClick={() => void end(one)}>
                    {one.this ? "Log out" : "End"}
                    <span class="hidden">
                      {one.this ? " here" : ` the session of ${one.user} with ${deviceOf(one.user_agent)}`}
                    </span>
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      {leaving.value && (
        <Question
          title="Log out here?"
          yes="Log out"
          act={leave}
          onClosed={() => {
            leaving.value = false;
          }}
        >
          <p>This is the session that you are using.</p>
        </Question>
      )}
    </>
  );
}
