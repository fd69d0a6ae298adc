import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

import { compressed } from "./bundling/compressed.ts";

/** Where `npm run dev` finds a running farm. */
const farm = process.env.VITE_FARM_URL ?? "http://127.0.0.1:15439";

export default defineConfig({
  base: "/ui/",
  plugins: [react(), compressed()],
  build: {
    outDir: "../camera_ctrler/static/ui",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/apidocs", "/apispec.json", "/flasgger_static", "/static"].map((path) => [path, farm]),
    ),
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
