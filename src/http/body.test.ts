import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { costOf } from "../testing/cost.ts";
import { readFields, readForm } from "./body.ts";
import { HttpRefusal } from "./refusals.ts";

const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";
const LIMIT = 256 * 1024;

describe("a form", () => {
  test("has its fields, the last of a name counts", async () => {
    expect(await fieldsOf(FORM, "a=1&b=x+y%20z&a=2&c=&d=%D0%B9")).toEqual({
      a: "2",
      b: "x y z",
      c: "",
      d: "й",
    });
    expect(await fieldsOf(`${FORM}; charset=UTF-8`, "a=1")).toEqual({ a: "1" });
    expect(await fieldsOf("Application/X-WWW-Form-URLEncoded", "a=1")).toEqual({ a: "1" });
    expect(await fieldsOf(FORM, "")).toEqual({});
  });

  test("of any fields is read as it was written", async () => {
    const pairs = fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })));
    await fc.assert(
      fc.asyncProperty(pairs, async (fields) => {
        const read = await readFields(request(FORM, new URLSearchParams(fields).toString()));
        expect([...read]).toEqual([...new Map(fields)]);
      }),
    );
  });

  test("in parts has its fields, and no files", async () => {
    const form = new FormData();
    form.set("a", "1\r\n2");
    form.set("__proto__", "x");
    form.set("file", new File(["content"], "evil.html", { type: "text/html" }));
    const read = await readFields(new Request("http://localhost/", { method: "POST", body: form }));
    expect([...read]).toEqual([
      ["a", "1\r\n2"],
      ["__proto__", "x"],
    ]);
  });

  test.each([
    ["without a boundary", "multipart/form-data", "--x\r\n\r\n"],
    [
      "with another boundary",
      "multipart/form-data; boundary=y",
      '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
    ],
    ["that is cut off", "multipart/form-data; boundary=x", '--x\r\nContent-Disposition: form-data; name="a'],
    ["that is empty", "multipart/form-data; boundary=x", ""],
    ["of anything", "multipart/form-data; boundary=x", "\0\ufffd--x--x--x"],
  ])("in parts %s has no fields", async (_, type, body) => {
    const whole = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n';
    expect(await fieldsOf("multipart/form-data; boundary=x", whole)).toEqual({ a: "1" });
    expect(await fieldsOf(type, body)).toEqual({});
  });
});

describe("a JSON object", () => {
  test("has its fields whatever the content type says", async () => {
    const body = JSON.stringify({ a: "1", b: null, c: "", d: "й" });
    for (const type of [JSON_TYPE, "text/plain", "application/json; charset=utf-8", ""]) {
      expect(await fieldsOf(type, body)).toEqual({ a: "1", c: "", d: "й" });
    }
  });

  test.each(["", " ", "{", "null", "not json", "{'a':1}", '{"a":NaN}', '{"a":1,}', "\ufeff"])(
    "that is %j has no fields",
    async (body) => {
      expect(await fieldsOf(JSON_TYPE, body)).toEqual({});
    },
  );

  test.each(["[]", '["a"]', "1", '"text"', "true", "1e999"])("is not %s", async (body) => {
    expect(await refusalOf(JSON_TYPE, body)).toMatchObject({
      status: 400,
      message: "Body must be a JSON object",
    });
  });

  test.each(["1", "0", "1e999", "true", "false", "[]", "{}", '["a"]', '{"toString":"a"}', "[[[]]]"])(
    "has no field like %s",
    async (value) => {
      expect(await fieldsOf(JSON_TYPE, '{"username":"a"}')).toEqual({ username: "a" });
      expect(await refusalOf(JSON_TYPE, `{"username":${value}}`)).toMatchObject({
        status: 400,
        message: "'username' must be text",
      });
    },
  );

  test("with keys of every object's prototype pollutes nothing", async () => {
    const read = await readFields(request(JSON_TYPE, '{"__proto__":"a","constructor":"b","toString":"c"}'));
    expect([...read]).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
      ["toString", "c"],
    ]);
    expect(await refusalOf(JSON_TYPE, '{"__proto__":{"polluted":true}}')).toMatchObject({ status: 400 });
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("nested as deep as there is room is refused or empty, soon", async () => {
    for (const body of [
      "[".repeat(LIMIT),
      '{"a":'.repeat(LIMIT / 5),
      `{"a":${"[".repeat(60_000)}${"]".repeat(60_000)}}`,
    ]) {
      const reading = async () => {
        const read = await readFields(request(JSON_TYPE, body)).catch((error: unknown) => error);
        expect(read instanceof HttpRefusal ? read.status : [...(read as Map<string, string>)]).toBeOneOf([
          400,
          [],
        ]);
      };
      expect(await costOf(reading)).toBeLessThan(250);
    }
  });
});

describe("a body", () => {
  test("that is not UTF-8 is refused", async () => {
    for (const type of [FORM, JSON_TYPE, ""]) {
      expect(await refusalOf(type, new Uint8Array([0x7b, 0xff, 0x7d]))).toMatchObject({
        status: 400,
        message: "Body is not valid UTF-8",
      });
    }
  });

  test("that is missing has no fields", async () => {
    expect(
      Object.fromEntries(await readFields(new Request("http://localhost/", { method: "POST" }))),
    ).toEqual({});
  });

  test("may be as large as the limit, and is refused when it is larger", async () => {
    expect((await fieldsOf(FORM, `a=${"x".repeat(LIMIT - 2)}`))["a"]).toHaveLength(LIMIT - 2);
    for (const type of [FORM, JSON_TYPE, "multipart/form-data; boundary=x"]) {
      expect(await refusalOf(type, "x".repeat(LIMIT + 1))).toMatchObject({ status: 413 });
    }
  });

  test("that announces more than the limit is refused before it is read", async () => {
    let read = false;
    const stream = new ReadableStream(
      {
        pull(controller) {
          read = true;
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const headers = { "content-type": FORM, "content-length": `${LIMIT + 1}` };
    const refused = await readFields(
      new Request("http://localhost/", { method: "POST", headers, body: stream }),
    ).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 413 });
    expect(read).toBe(false);
  });

  test("that never ends is read no further than the limit", async () => {
    let pulled = 0;
    const endless = new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
    const refused = await readFields(
      new Request("http://localhost/", { method: "POST", body: endless }),
    ).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 413 });
    expect(pulled).toBeLessThan(10);
  });
});

describe("a form with files", () => {
  const inTime = () => AbortSignal.timeout(30_000);
  const formOf = (fields: Record<string, string | File>) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    return new Request("http://localhost/", { method: "POST", body });
  };

  test("has them beside its fields, and none where none was chosen", async () => {
    const file = new File(["content"], "a.png");
    const { fields, files } = await readForm(formOf({ a: "1", file, none: new File([], "") }), inTime());
    expect([...fields]).toEqual([["a", "1"]]);
    expect([...files.keys()]).toEqual(["file"]);
    expect(await files.get("file")?.text()).toBe("content");
  });

  test("may be as large as a picture, but its texts and any one file may not be larger than theirs", async () => {
    const megabytes = (n: number) => new File([new Uint8Array(n * 1024 * 1024)], "a.png");
    expect((await readForm(formOf({ file: megabytes(20) }), inTime())).files.size).toBe(1);
    for (const fields of [
      { file: megabytes(20.5) },
      { a: megabytes(11), b: megabytes(11) },
      { a: "x".repeat(LIMIT) },
    ]) {
      const refused = await readForm(formOf(fields), inTime()).catch((error: unknown) => error);
      expect(refused).toMatchObject({ status: 413 });
    }
  });

  test("that comes too slowly is given up", async () => {
    let isCancelled = false;
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new Uint8Array(10)),
      cancel: () => void (isCancelled = true),
    });
    const headers = { "content-type": "multipart/form-data; boundary=x" };
    const slow = new Request("http://localhost/", { method: "POST", headers, body });
    const refused = await readForm(slow, AbortSignal.timeout(50)).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 408 });
    expect(isCancelled).toBe(true);
  });
});

async function fieldsOf(type: string, body: string): Promise<Record<string, string>> {
  return Object.fromEntries(await readFields(request(type, body)));
}

async function refusalOf(type: string, body: string | Uint8Array<ArrayBuffer>): Promise<HttpRefusal> {
  const refused = await readFields(request(type, body)).catch((error: unknown) => error);
  if (refused instanceof HttpRefusal) return refused;
  throw new Error("it was not refused", { cause: refused });
}

function request(type: string, body: string | Uint8Array<ArrayBuffer>): Request {
  return new Request("http://localhost/", { method: "POST", headers: { "content-type": type }, body });
}
