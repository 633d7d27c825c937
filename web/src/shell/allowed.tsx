// What somebody may not do stays where it is, greyed, and says what it would take: nothing is found out by failing.
import type { ComponentProps } from "preact";
import type { Role } from "../api/types.gen.ts";
import { lacking } from "../login/me.ts";
import "../style/allowed.css";

type ActionProps = Omit<ComponentProps<"button">, "type"> & { needs: Role };

/** A button for people of a role. For others it keeps its place in the order of the focus, so that its reason is heard. */
export function Action({ needs, ...button }: ActionProps) {
  const reason = lacking(needs);
  if (reason === null) return <button type="button" {...button} />;
  const { onClick: _, class: more = "", "aria-label": label, ...rest } = button;
  return (
    <button
      type="button"
      {...rest}
      class={`${more} withheld`}
      aria-label={label && `${label}. ${reason}`}
      aria-disabled="true"
      data-reason={reason}
    >
      {rest.children}
      <span class="hidden">. {reason}</span>
    </button>
  );
}

/** Said once above a part of a page whose fields somebody can read but not change; nothing for those who can. */
export function Withheld({ needs, children }: { needs: Role; children: string }) {
  const reason = lacking(needs);
  if (reason === null) return null;
  return (
    <p class="withheld-note">
      {children} {reason}
    </p>
  );
}
