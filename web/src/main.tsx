import "./app/styles";
import "./app/language/setup";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { styleNonce } from "./app/styleNonce";

// What keeps the page from scrolling behind a drawer adds a style of its own, and looks for the nonce here.
Object.assign(globalThis, { __webpack_nonce__: styleNonce() });

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
