// What this page reads of an OpenAPI document, and what it makes of it. Pure.
import type { Role } from "../api/types.gen.ts";

export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  default?: unknown;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  minimum?: number;
  maximum?: number;
}

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required: boolean;
  description?: string;
  schema: Schema;
}

interface Content {
  content?: Record<string, { schema: Schema }>;
}

interface Described {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  "x-role": Role | null;
  parameters?: Parameter[];
  requestBody?: Content & { required: boolean };
  responses: Record<string, Content & { description: string }>;
}

export interface Document {
  info: { title: string; version: string };
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, Schema> };
}

export interface Operation extends Described {
  method: string;
  path: string;
}

const RANKS: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 };

/** Whether somebody of `role` (null: without a login) may what needs `least` (null: no login). */
export function may(role: Role | null, least: Role | null): boolean {
  return least === null || (role !== null && RANKS[role] >= RANKS[least]);
}

/** Operations that contain every word of `search`, by tag, in the order of the document. */
export function byTag(document: Document, search = ""): Map<string, Operation[]> {
  const words = search.toLowerCase().split(/\s+/);
  const found = new Map<string, Operation[]>();
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, described] of Object.entries(methods)) {
      const text = `${method} ${path} ${described.summary} ${described.tags}`.toLowerCase();
      if (!words.every((word) => text.includes(word))) continue;
      const tag = described.tags[0] ?? "";
      found.set(tag, [...(found.get(tag) ?? []), { ...described, method: method.toUpperCase(), path }]);
    }
  return found;
}

/** The schema itself, wherever it is. */
export function resolved(schema: Schema, document: Document): Schema {
  const name = schema.$ref?.split("/").at(-1);
  return name === undefined ? schema : (document.components.schemas[name] ?? {});
}

const DEEPEST = 6;

/** A value of that schema to begin with: what is required, and defaults. */
export function example(schema: Schema, document: Document, depth = 0): unknown {
  const own = resolved(schema, document);
  if (own.default !== undefined) return own.default;
  if (own.enum) return own.enum[0];
  const either = own.anyOf ?? own.oneOf;
  if (either) {
    const first = either.find((one) => one.type !== "null");
    return first && depth < DEEPEST ? example(first, document, depth + 1) : null;
  }
  switch (Array.isArray(own.type) ? own.type[0] : own.type) {
    case "object": {
      if (depth >= DEEPEST) return {};
      const properties = Object.entries(own.properties ?? {});
      return Object.fromEntries(properties.map(([name, one]) => [name, example(one, document, depth + 1)]));
    }
    case "array":
      return [];
    case "integer":
    case "number":
      return own.minimum ?? 0;
    case "boolean":
      return false;
    case "string":
      return "";
    default:
      return null;
  }
}

/** A schema in a few words. */
export function words(schema: Schema): string {
  if (schema.$ref) return schema.$ref.split("/").at(-1) ?? "";
  if (schema.enum) return schema.enum.map(String).join(" | ");
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return either.map(words).join(" or ");
  if (schema.type === "array") return `list of ${words(schema.items ?? {})}`;
  const bounds = [schema.minimum, schema.maximum].filter((bound) => bound !== undefined).join(" to ");
  return [schema.type ?? "any", bounds].join(" ").trim();
}

export interface Asked {
  address: string;
  headers: Record<string, string>;
}

/** Where a request with these parameters goes; empty ones are left out. Null: one in the path is. */
export function asked(operation: Operation, values: Record<string, string>): Asked | null {
  let address = operation.path;
  const query = new URLSearchParams();
  const headers: Record<string, string> = {};
  for (const { name, in: place } of operation.parameters ?? []) {
    const value = values[name] ?? "";
    if (place === "path" && value === "") return null;
    if (place === "path") address = address.replace(`{${name}}`, encodeURIComponent(value));
    else if (value === "") continue;
    else if (place === "query") query.append(name, value);
    else headers[name] = value;
  }
  return { address: query.size > 0 ? `${address}?${query}` : address, headers };
}

/** The media type that a body is sent as, and its schema; null: none is sent. */
export function bodyOf(operation: Operation): { type: string; schema: Schema } | null {
  const [first] = Object.entries(operation.requestBody?.content ?? {});
  return first ? { type: first[0], schema: first[1].schema } : null;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The same request for a shell, by a program that has an API token. */
export function curl(method: string, { address, headers }: Asked, body: string | null, origin: string): string {
  const parts = ["curl", "-s"];
  if (method !== "GET") parts.push("-X", method);
  parts.push(quoted(`${origin}${address}`), "-H", quoted("Authorization: Bearer TOKEN"));
  for (const [name, value] of Object.entries(headers)) parts.push("-H", quoted(`${name}: ${value}`));
  if (body !== null) parts.push("-d", quoted(body));
  return parts.join(" ");
}
