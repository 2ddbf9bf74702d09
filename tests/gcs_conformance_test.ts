/** Every suite for stores on Cloud Storage, with a real server. */
import { testStore } from "./backend_conformance.ts";
import { GCS_STORE } from "./stores/gcs.ts";

testStore(GCS_STORE);
