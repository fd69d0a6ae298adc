import { Route, Routes } from "react-router";

import { SingleCamera } from "./SingleCamera";
import { WallView } from "./WallView";

/** The wall, and one camera of it large. */
export default function LiveScreen() {
  return (
    <Routes>
      <Route index element={<WallView />} />
      <Route path=":cameraId" element={<SingleCamera />} />
    </Routes>
  );
}
