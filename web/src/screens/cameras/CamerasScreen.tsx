import { Route, Routes } from "react-router";

import { CameraList } from "./list/CameraList";
import { ZonesPage } from "./zones/ZonesPage";

/** Cameras: the list with its drawers (`new`, `edit/<id>`, `import`), and the drawing of zones (`zones/<id>`). */
export default function CamerasScreen() {
  return (
    <Routes>
      <Route path="zones/:cameraId" element={<ZonesPage />} />
      <Route path="*" element={<CameraList />} />
    </Routes>
  );
}
