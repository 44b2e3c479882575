import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { answers } from "./api/hooks";
import { router } from "./router";
import { SessionGate } from "./session/SessionGate";
import { applyDisplay } from "./shell/display";
import "./ui/tokens.css";
import "./ui/base.css";
import "./shell/shell.css";

applyDisplay();

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no element #root.");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={answers}>
      <SessionGate>
        <RouterProvider router={router} />
      </SessionGate>
    </QueryClientProvider>
  </StrictMode>,
);
