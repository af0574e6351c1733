/** What existing clients of the API show to people. These texts are part of the wire and stay Russian. */
import type { NameFault } from "../../accounts/names.ts";
import type { RegistrationFault } from "../../accounts/accounts.ts";
import type { ProfileFaults } from "../../accounts/profiles.ts";
import { PICTURE_EXTENSIONS } from "../../accounts/uploads.ts";
import { BIO_MAX_LENGTH, USERNAME_MAX_LENGTH } from "../../shared/limits.ts";

export interface Fault {
  error: string;
  errors: Record<string, string[]>;
}

export const EMPTY_BODY = fault("body", "Неверное тело запроса", "Пустое тело запроса");
export const CREDENTIALS_MISSING = fault("credentials", "Требуются логин и пароль", "Укажите логин и пароль");
export const CREDENTIALS_WRONG = fault(
  "credentials",
  "Неверный логин или пароль",
  "Неверный логин или пароль",
);

// The "c" before "полями" is the Latin letter, as it always was.
export const REGISTER_USAGE = "Используйте POST c полями username, password1, password2";

export const TOO_MANY_ATTEMPTS = "Too many attempts";
export const LOGIN_REQUIRED = "Требуется авторизация";

export const PASSWORD_RULES = {
  relaxed: ["Ваш пароль должен содержать как минимум 6 символов."],
  strict: [
    "Пароль не должен быть слишком похож на другую вашу личную информацию.",
    "Ваш пароль должен содержать как минимум 8 символов.",
    "Пароль не должен быть слишком простым и распространенным.",
    "Пароль не может состоять только из цифр.",
  ],
};

export function registrationFault(refused: RegistrationFault): Fault {
  switch (refused.fault) {
    case "missing":
      return refused.field === "username"
        ? fault("username", "Требуется имя пользователя", "Укажите имя пользователя")
        : fault("password", "Требуется пароль", "Укажите пароль");
    case "taken":
      return fault("username", "Имя пользователя уже занято", "Это имя уже используется");
    case "differ":
      return fault("password", "Пароли не совпадают", "Пароли не совпадают");
    case "weak": {
      const weak = fault("password", "Пароль слишком слабый", "Пароль слишком слабый");
      return refused.name
        ? { ...weak, errors: { ...weak.errors, username: [nameText(refused.name)] } }
        : weak;
    }
    case "bad":
      return fault("username", nameText(refused.name), nameText(refused.name));
  }
}

function nameText(name: NameFault): string {
  switch (name.fault) {
    case "blank":
      return "Обязательное поле.";
    case "characters":
      return "Введите правильное имя пользователя. Оно может содержать только буквы, цифры и знаки @/./+/-/_.";
    case "too_long":
      return tooLong(USERNAME_MAX_LENGTH, name.length);
  }
}

type Fields = { [Field in keyof ProfileFaults]-?: NonNullable<ProfileFaults[Field]> };

/** One message for each field that is wrong. */
export function profileErrors({ username, email, bio, image }: ProfileFaults): Record<string, string[]> {
  return {
    ...(username && { username: [usernameText(username)] }),
    ...(email && { email: [emailText(email)] }),
    ...(bio && { bio: [bioText(bio)] }),
    ...(image && { image: [imageText(image)] }),
  };
}

function usernameText(username: Fields["username"]): string {
  if (username.fault === "taken") return "Имя пользователя уже занято";
  return username.fault === "bad_characters" ? BAD_CHARACTERS : nameText(username);
}

function emailText({ fault: email }: Fields["email"]): string {
  return {
    taken: "Email уже используется",
    bad_characters: BAD_CHARACTERS,
    bad_address: "Введите правильный адрес электронной почты.",
  }[email];
}

function bioText(bio: Fields["bio"]): string {
  return bio.fault === "too_long" ? tooLong(BIO_MAX_LENGTH, bio.length) : BAD_CHARACTERS;
}

function imageText(image: Fields["image"]): string {
  switch (image.fault) {
    case "empty":
      return "Отправленный файл пуст.";
    case "unreadable":
    case "too_many_pixels":
      return "Загрузите правильное изображение. Файл, который вы загрузили, поврежден или не является изображением.";
    case "unavailable":
      return "Сейчас изображение сохранить нельзя. Попробуйте чуть позже.";
    case "name_too_long":
      return `Убедитесь, что это имя файла содержит не более 100 символов (сейчас ${image.length}).`;
    case "extension":
      return `Расширение файлов “${image.extension}” не поддерживается. Разрешенные расширения: ${PICTURE_EXTENSIONS}.`;
  }
}

const BAD_CHARACTERS = "Данные содержат запрещённый символ: ноль-байт";

function tooLong(most: number, length: number): string {
  return `Убедитесь, что это значение содержит не более ${most} символов (сейчас ${length}).`;
}

function fault(field: string, error: string, message: string): Fault {
  return { error, errors: { [field]: [message] } };
}
