CREATE TABLE `origins` (
	`kind` text NOT NULL,
	`original` text NOT NULL,
	`made_id` integer NOT NULL,
	PRIMARY KEY(`kind`, `original`)
);
