// What is wrong with a host's identity, or soon will be, and what to do about it.
import type { HostIdentity } from "../api/types.gen.ts";
import { minute } from "../live/every.ts";
import { StandingIcon } from "../shell/icons.tsx";
import { AGAIN, identityWarnings } from "./identity.ts";

export function IdentityWarnings({ identity }: { identity: HostIdentity }) {
  return (
    <>
      {identityWarnings(identity, minute.value).map(({ text, remedy }) => (
        <p key={text} class="identity-warning tone-warning" role="status">
          <StandingIcon standing="warning" />
          <span>
            {text}
            {remedy && (
              <>
                {" "}
                {remedy} <code>{AGAIN}</code> with a new token.
              </>
            )}
          </span>
        </p>
      ))}
    </>
  );
}
