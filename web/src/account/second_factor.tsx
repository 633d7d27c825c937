// The second factor: a code that an authenticator shows, asked for besides the password.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { request } from "../api/client.ts";
import type { CodeGiven, Me, RecoveryCodes, SecondFactorOffer } from "../api/types.gen.ts";
import { askAgain } from "../login/me.ts";
import { Field } from "../shell/field.tsx";
import { Line } from "../shell/line.tsx";
import { useSending } from "../shell/sending.ts";
import { Codes } from "./codes.tsx";

const ADDRESS = "/session/second-factor";

/** What is asked for a code: to switch it on after the offer, to switch it off, to make other recovery codes. */
type Step = "rest" | "on" | "off" | "renew";

export function SecondFactor({ who }: { who: Me }) {
  const box = useRef<HTMLElement>(null);
  const step = useSignal<Step>("rest");
  const offer = useSignal<SecondFactorOffer | null>(null);
  const codes = useSignal<string[] | null>(null);
  const begin = useSending();
  const shown = codes.value ? "codes" : step.value;
  const before = useRef(shown);
  useEffect(() => {
    if (before.current !== shown)
      box.current?.querySelector<HTMLElement>(shown === "rest" ? "h2" : "input, [data-next]")?.focus();
    before.current = shown;
  }, [shown]);

  const start = () =>
    begin.send(async () => {
      offer.value = await request<SecondFactorOffer>("POST", ADDRESS);
      step.value = "on";
    });
  function end(): void {
    step.value = "rest";
    offer.value = null;
  }
  async function give(code: string): Promise<void> {
    const body: CodeGiven = { code };
    if (step.value === "off") await request("DELETE", ADDRESS, { body });
    else if (step.value === "on") codes.value = (await request<RecoveryCodes>("PUT", ADDRESS, { body })).codes;
    else codes.value = (await request<RecoveryCodes>("POST", `${ADDRESS}/recovery-codes`, { body })).codes;
    end();
    askAgain();
  }
  return (
    <section ref={box} class="panel group" aria-labelledby="second-factor">
      <h2 id="second-factor" tabIndex={-1}>
        Second factor
      </h2>
      {codes.value ? (
        <Codes
          codes={codes.value}
          onDone={() => {
            codes.value = null;
          }}
        />
      ) : (
        <>
          <p class="muted">
            {who.second_factor
              ? "On: logging in takes the password and a code of your authenticator."
              : "Off: the password alone logs you in. With an authenticator (an app on a phone, a password manager) a code is asked for besides."}
          </p>
          {step.value === "rest" && (
            <div class="control">
              {who.second_factor ? (
                <>
                  <button
                    type="button"
                    onClick={() => {
                      step.value = "renew";
                    }}
                  >
                    Make new recovery codes
                  </button>
                  <button
                    type="button"
                    class="danger"
                    onClick={() => {
                      step.value = "off";
                    }}
                  >
                    Switch off
                  </button>
                </>
              ) : (
                <button type="button" onClick={() => void start()}>
                  {begin.busy ? "One moment …" : "Set up"}
                </button>
              )}
            </div>
          )}
          {begin.failure && (
            <p class="error" role="alert">
              {begin.failure.message}
            </p>
          )}
          {offer.value && <Offer offer={offer.value} />}
          {step.value !== "rest" && <CodeForm step={step.value} give={give} onCancel={end} />}
        </>
      )}
    </section>
  );
}

function Offer({ offer: { secret, qr, size } }: { offer: SecondFactorOffer }) {
  return (
    <div class="offer">
      <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label="QR code for an authenticator">
        <path d={qr} />
      </svg>
      <div class="offered">
        <p>Scan this with your authenticator, then type the code that it shows.</p>
        <Line
          label="Or give it this secret"
          text={(secret.match(/.{1,4}/g) ?? []).join(" ")}
          what="the secret"
          rows={2}
          primary={false}
        />
      </div>
    </div>
  );
}

const WORDS: Record<Exclude<Step, "rest">, string> = {
  on: "Switch on",
  off: "Switch off",
  renew: "Make new codes",
};

interface CodeFormProps {
  step: Exclude<Step, "rest">;
  give: (code: string) => Promise<void>;
  onCancel: () => void;
}

function CodeForm({ step, give, onCancel }: CodeFormProps) {
  const field = useRef<HTMLFormElement>(null);
  const code = useSignal("");
  const { busy, failure, send } = useSending();
  useEffect(() => {
    if (failure) field.current?.querySelector("input")?.select();
  }, [failure]);
  return (
    <form
      ref={field}
      class="stacked"
      onSubmit={(event) => {
        event.preventDefault();
        void send(() => give(code.value.trim()));
      }}
    >
      <Field
        label="Code"
        error={failure ? (failure.fields[0]?.reason ?? failure.message) : undefined}
        hint={
          step === "renew"
            ? "Of your authenticator. The recovery codes that you have now are void then."
            : "The six digits that your authenticator shows."
        }
        wide
      >
        <input
          class="short"
          autocomplete="one-time-code"
          inputMode="numeric"
          spellcheck={false}
          required
          value={code.value}
          onInput={({ currentTarget }) => {
            code.value = currentTarget.value;
          }}
        />
      </Field>
      <div class="control">
        <button type="submit" class={step === "off" ? "danger" : "primary"}>
          {busy ? "One moment …" : WORDS[step]}
        </button>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
