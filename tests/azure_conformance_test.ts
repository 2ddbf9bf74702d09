/** Every suite for stores on Azure Blob Storage, with a real server. */
import { testStore } from "./backend_conformance.ts";
import { AZURE_STORE } from "./stores/azure.ts";

testStore(AZURE_STORE);
