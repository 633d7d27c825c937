// A choice among the roles.
import type { Role } from "../api/types.gen.ts";
import { ROLES } from "../login/gate.ts";

interface RoleSelectProps {
  value: Role;
  onChange: (role: Role) => void;
  "aria-label"?: string | undefined;
  /** Given by the field around it. */
  id?: string | undefined;
  "aria-describedby"?: string | undefined;
}

export function RoleSelect({ value, onChange, ...others }: RoleSelectProps) {
  return (
    <select {...others} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value as Role)}>
      {ROLES.map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  );
}
