// A choice among the roles. Other properties, such as those of a field, go to the element.
import type { ComponentProps } from "preact";
import type { Role } from "../api/types.gen.ts";
import { ROLES } from "../login/gate.ts";

type RoleSelectProps = Omit<ComponentProps<"select">, "value" | "onChange"> & {
  value: Role;
  onChange: (role: Role) => void;
};

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
