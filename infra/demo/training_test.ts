import { equal, throws } from "node:assert/strict";
import { parseTrainingLine } from "./training.ts";

Deno.test("lines of the trainer are windows, a summary, or left alone", () => {
  const figures = '"images_per_sec":1,"data_ms":2,"compute_ms":3,"loss":4';
  equal(parseTrainingLine(`{"event":"window","step":50,${figures}}`)?.event, "window");
  const done = `{"event":"done","steps":60,"samples":1920,"order":"ab",${figures},"more":1}`;
  equal(parseTrainingLine(done)?.event, "done");
  equal(parseTrainingLine('{"event":"plan","paths":20}'), null);
  throws(() => parseTrainingLine("not JSON"));
});
