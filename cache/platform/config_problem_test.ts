import { equal } from "node:assert/strict";
import { formatPath, formatProblem, showValue } from "./config_problem.ts";

Deno.test("formatPath writes keys with dots and positions in brackets", () => {
  equal(formatPath(["backends", 1, "config", "account"]), "backends[1].config.account");
  equal(formatPath(["teams", "a.b"]), 'teams["a.b"]');
  equal(formatPath([]), "");
});

Deno.test("formatProblem leaves out what a problem does not have", () => {
  const position = { line: 3, column: 5 };
  equal(
    formatProblem("c.yaml", { position, path: "a.b", found: '"x"', message: "wanted y" }),
    'c.yaml:3:5: a.b: "x": wanted y',
  );
  equal(
    formatProblem("c.yaml", { position, path: "", found: null, message: "not YAML" }),
    "c.yaml:3:5: not YAML",
  );
});

Deno.test("showValue quotes ordinary values and shortens long ones", () => {
  equal(showValue("timeout", "soon"), '"soon"');
  equal(showValue("name", "x".repeat(100)), `"${"x".repeat(60)}…"`);
});

Deno.test("showValue never shows a secret", () => {
  const key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq==";
  equal(showValue("account_key", "abc"), "***");
  equal(showValue("client_secret", "abc"), "***");
  equal(showValue("sas_token", "abc"), "***");
  equal(showValue("connection_string", "abc"), "***");
  equal(showValue("account_key_env", key), "***");
  equal(showValue("endpoint", "https://a.example/c?sv=1&sig=abc"), "***");
  equal(showValue("endpoint", "https://user:pass@a.example"), "***");
});

Deno.test("showValue shows where a secret is", () => {
  equal(showValue("account_key_env", "STORAGE_KEY"), '"STORAGE_KEY"');
  equal(showValue("sas_file", "/etc/secrets/sas"), '"/etc/secrets/sas"');
});
