"use strict";
// Starts the bundled Swagger UI; a file of its own, so that the page needs no inline script.
window.ui = SwaggerUIBundle({
  url: document.body.dataset.spec,
  dom_id: "#swagger-ui",
  validatorUrl: null,
  deepLinking: true,
  tryItOutEnabled: false,
  displayRequestDuration: true,
  presets: [SwaggerUIBundle.presets.apis],
});
