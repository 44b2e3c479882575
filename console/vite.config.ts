import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// For `npm run dev`: the API whose address API_ADDRESS names, e.g. http://127.0.0.1:8000.
const api = process.env.API_ADDRESS ?? "http://127.0.0.1:8000";
const headers = process.env.API_TOKEN ? { authorization: `Bearer ${process.env.API_TOKEN}` } : undefined;
const proxy = {
  "/graphql": { target: api, ws: true, headers },
  "/session": { target: api },
  "/sign-in": { target: api },
};

export default defineConfig({
  // Relative addresses: the console works under any prefix of a reverse proxy.
  base: "./",
  plugins: [react()],
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    assetsInlineLimit: 0,
    // One stylesheet: what a page adds to it is less than a request costs.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // Few files for what every page needs; charts and the parts of single pages apart.
          groups: [
            { name: "libraries", test: /node_modules[\\/](?!uplot|@xyflow|@dagrejs|d3-|zustand|classcat|use-sync-external-store)/, priority: 3 },
            {
              name: "base",
              test: /src[\\/]((api|entities|session|shell|time|ui)[\\/](?!Chart)|alarms[\\/](past|usePlaces)|changes[\\/]ChangeText)/,
              priority: 2,
            },
            { name: "charts", test: /node_modules[\\/]uplot|src[\\/]ui[\\/]Chart|src[\\/]telemetry[\\/]/, priority: 1 },
          ],
        },
      },
    },
  },
  server: { host: "127.0.0.1", proxy },
  preview: { host: "127.0.0.1", proxy },
});
