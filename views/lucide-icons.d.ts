/** Icons are imported one by one: the package's index would load all of them at each start. */
declare module "lucide/dist/esm/icons/*.mjs" {
  import type { IconNode } from "lucide";

  const node: IconNode;
  export default node;
}
