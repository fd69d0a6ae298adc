import { type ComponentType, lazy, type LazyExoticComponent } from "react";
import { createBrowserRouter, Navigate } from "react-router";

import { Login } from "./auth/Login";
import { RequireUser } from "./auth/RequireUser";
import { ScreenFailure } from "./ScreenFailure";
import { Shell } from "./Shell";

/** Every screen: its path, and the file that is loaded when it is first opened. Each has a default export. */
const screens: Record<string, LazyExoticComponent<ComponentType>> = {
  live: lazy(() => import("../screens/live/LiveScreen")),
  cameras: lazy(() => import("../screens/cameras/CamerasScreen")),
  timeline: lazy(() => import("../screens/timeline/TimelineScreen")),
  events: lazy(() => import("../screens/events/EventsScreen")),
  people: lazy(() => import("../screens/people/PeopleScreen")),
  farm: lazy(() => import("../screens/farm/FarmScreen")),
  settings: lazy(() => import("../screens/settings/SettingsScreen")),
};

/** The controller answers these paths with the UI; `camera_ctrler/web_ui` has the same list, and a test compares them. */
export const router = createBrowserRouter([
  { path: "login", element: <Login />, errorElement: <ScreenFailure /> },
  {
    element: (
      <RequireUser>
        <Shell />
      </RequireUser>
    ),
    errorElement: <ScreenFailure />,
    children: [
      { index: true, element: <Navigate to="live" replace /> },
      // A screen has what lies below its path: `/events/*` is the events screen's own affair.
      ...Object.entries(screens).map(([path, Screen]) => ({
        path: `${path}/*`,
        element: <Screen />,
        errorElement: <ScreenFailure />,
      })),
      { path: "*", element: <Navigate to="/live" replace /> },
    ],
  },
]);
