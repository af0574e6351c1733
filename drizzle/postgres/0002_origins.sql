CREATE TABLE "origins" (
	"kind" text NOT NULL,
	"original" text NOT NULL,
	"made_id" bigint NOT NULL,
	CONSTRAINT "origins_kind_original_pk" PRIMARY KEY("kind","original")
);
