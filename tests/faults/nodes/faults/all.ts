/** Every fault of nodes that share a database. */
import type { Fault } from "../../round.ts";
import type { Nodes } from "../scene.ts";
import { moving, nodeFrozen, nodeKilled, rollingRestart } from "./nodes.ts";
import { connectionsTerminated, postgresCutOff, postgresDiskFull, postgresRestarted } from "./postgres.ts";
import { redisCutOff, redisFrozen, redisKilled } from "./redis.ts";
import {
  removedElsewhere,
  removedFromTheApart,
  removedUnheard,
  removedWithoutRedis,
  sessionOverElsewhere,
} from "./rights.ts";
import { duplicatesElsewhere, hotRoom } from "./writes.ts";

export type NodesFault = Fault<Nodes>;

export const NODES_FAULTS: readonly NodesFault[] = [
  redisKilled,
  redisFrozen,
  redisCutOff,
  postgresRestarted,
  connectionsTerminated,
  postgresDiskFull,
  postgresCutOff,
  nodeKilled,
  nodeFrozen,
  moving,
  rollingRestart,
  removedElsewhere,
  removedWithoutRedis,
  removedUnheard,
  removedFromTheApart,
  sessionOverElsewhere,
  duplicatesElsewhere,
  hotRoom,
];
