// API tokens: for programs that ask the gateway in one's name.
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { get, request } from "../api/client.ts";
import type { ApiToken, ApiTokens, MadeApiToken } from "../api/types.gen.ts";
import { moment, recent } from "../format.ts";
import { minute, useEvery } from "../live/every.ts";
import { Loaded, useAsked } from "../shell/loaded.tsx";
import { useOpening } from "../shell/opening.ts";
import { Question } from "../shell/question.tsx";
import { Scroller } from "../shell/scroller.tsx";
import { NewToken } from "./new_token.tsx";
import { scopesShown } from "./scopes.ts";
import { TokenShown } from "./token_shown.tsx";

const ask = async (signal: AbortSignal) => (await get<ApiTokens>("/tokens", signal)).tokens;

export function Tokens() {
  const heading = useRef<HTMLHeadingElement>(null);
  const tokens = useAsked(ask);
  const making = useSignal(false);
  const made = useSignal<MadeApiToken | null>(null);
  const revoked = useSignal<ApiToken | null>(null);
  useEvery(60, tokens.refresh);
  useOpening("new", "token", true, () => {
    made.value = null;
    making.value = true;
  });
  return (
    <section class="panel group" aria-labelledby="tokens">
      <header>
        <h2 id="tokens" ref={heading} tabIndex={-1}>
          API tokens
        </h2>
        {!making.value && (
          <button
            type="button"
            onClick={() => {
              made.value = null;
              making.value = true;
            }}
          >
            New token
          </button>
        )}
      </header>
      <p class="muted">A token lets a program ask the REST API in your name, without your password.</p>
      {making.value && (
        <NewToken
          onMade={(token) => {
            made.value = token;
            making.value = false;
            tokens.load();
          }}
          onCancel={() => {
            making.value = false;
            heading.current?.focus();
          }}
        />
      )}
      {made.value && (
        <TokenShown
          made={made.value}
          onDone={() => {
            made.value = null;
            heading.current?.focus();
          }}
        />
      )}
      <Loaded from={tokens} what="The tokens">
        {(all) =>
          all.length === 0 ? (
            <p class="muted">There are none.</p>
          ) : (
            <TokenTable
              tokens={all}
              onRevoke={(token) => {
                revoked.value = token;
              }}
            />
          )
        }
      </Loaded>
      {revoked.value && (
        <Question
          title={`Revoke ${called(revoked.value)}?`}
          yes="Revoke"
          act={() => request("DELETE", `/tokens/${revoked.value?.id}`)}
          onClosed={(done) => {
            revoked.value = null;
            if (!done) return;
            heading.current?.focus();
            tokens.load();
          }}
        >
          <p>Programs that use it are refused at once.</p>
        </Question>
      )}
    </section>
  );
}

const called = (token: ApiToken): string => (token.note ? `“${token.note}”` : `token ${token.id}`);

function TokenTable({ tokens, onRevoke }: { tokens: readonly ApiToken[]; onRevoke: (token: ApiToken) => void }) {
  const now = minute.value;
  return (
    <Scroller label="API tokens, scrolls sideways" class="listing">
      <table>
        <thead>
          <tr>
            <th scope="col">For</th>
            <th scope="col">Role</th>
            <th scope="col">May use</th>
            <th scope="col">Made</th>
            <th scope="col">Expires</th>
            <th scope="col">Last used</th>
            <th scope="col">
              <span class="hidden">Revoke</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id}>
              <th scope="row">{token.note || <span class="muted">no note</span>}</th>
              <td>{token.role}</td>
              <td>{scopesShown(token.scopes)}</td>
              <td title={moment(token.created)}>{recent(token.created, now)}</td>
              <td title={token.expires === null ? "" : moment(token.expires)}>
                {token.expires === null ? (
                  "never"
                ) : token.expires < now ? (
                  <span class="tone-warning">expired</span>
                ) : (
                  recent(token.expires, now)
                )}
              </td>
              <td title={token.last_used === null ? "" : moment(token.last_used)}>
                {token.last_used === null
                  ? "never"
                  : `${recent(token.last_used, now)}${token.last_address && `, from ${token.last_address}`}`}
              </td>
              <td class="n">
                <button type="button" onClick={() => onRevoke(token)}>
                  Revoke<span class="hidden"> {called(token)}</span>
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
