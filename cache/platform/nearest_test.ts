import { equal } from "node:assert/strict";
import { nearest } from "./nearest.ts";

const KEYS = ["account", "root", "prefix", "endpoint", "list_chunk"];

Deno.test("nearest finds the word behind a slip of the finger", () => {
  equal(nearest("endpont", KEYS), "endpoint");
  equal(nearest("acount", KEYS), "account");
  equal(nearest("prefxi", KEYS), "prefix");
  equal(nearest("rot", KEYS), "root");
});

Deno.test("nearest ignores case and dashes", () => {
  equal(nearest("LIST-CHUNK", KEYS), "list_chunk");
});

Deno.test("nearest has no guess for a word that resembles none", () => {
  equal(nearest("container", KEYS), null);
  equal(nearest("x", KEYS), null);
  equal(nearest("anything", []), null);
});

Deno.test("nearest prefers the closest of several", () => {
  equal(nearest("sas_fil", ["sas_env", "sas_file"]), "sas_file");
});
