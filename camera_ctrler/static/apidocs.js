"use strict";
// Starts the bundled Swagger UI for who has logged in, and asks others to. A file of its own, so that the page needs no
// inline script.

const AUTH = "/api/v1/auth";
// Access tokens live ten minutes; one that is older than this is renewed before it is used.
const RENEW_AFTER_MS = 5 * 60 * 1000;

const form = document.getElementById("login");
const trouble = document.getElementById("trouble");
let renewedAt = 0;

function csrfValue() {
  const found = document.cookie.split("; ").find((part) => part.startsWith("farm_csrf="));
  return found ? found.slice("farm_csrf=".length) : "";
}

function call(method, path, body) {
  const headers = { "X-CSRF-Token": csrfValue() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return fetch(AUTH + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

async function renew() {
  const answer = await call("POST", "/refresh");
  if (answer.ok) renewedAt = Date.now();
  return answer.ok;
}

// Requests of the page itself carry the value against CSRF; with a token from "Authorize" they need none.
async function prepared(request) {
  if (request.headers && request.headers.Authorization) return request;
  if (csrfValue() && Date.now() - renewedAt > RENEW_AFTER_MS) await renew();
  request.headers = { ...request.headers, "X-CSRF-Token": csrfValue() };
  return request;
}

function start() {
  form.hidden = true;
  window.ui = SwaggerUIBundle({
    url: document.body.dataset.spec,
    dom_id: "#swagger-ui",
    validatorUrl: null,
    deepLinking: true,
    tryItOutEnabled: false,
    displayRequestDuration: true,
    requestInterceptor: prepared,
    presets: [SwaggerUIBundle.presets.apis],
  });
}

async function isKnown() {
  if ((await call("GET", "/me")).ok) {
    renewedAt = Date.now() - RENEW_AFTER_MS; // its age is not known
    return true;
  }
  return csrfValue() !== "" && (await renew());
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  trouble.textContent = "";
  const given = Object.fromEntries(new FormData(form));
  try {
    const answer = await call("POST", "/login", { user: given.user, password: given.password });
    if (answer.ok) {
      renewedAt = Date.now();
      start();
    } else {
      trouble.textContent = (await answer.json()).detail;
    }
  } catch {
    trouble.textContent = "The API does not answer; try again when it does.";
  }
});

isKnown()
  .catch(() => false)
  .then((known) => {
    if (known) start();
    else form.hidden = false;
  });
