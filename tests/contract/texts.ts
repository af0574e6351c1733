/** What existing clients show to people, to the letter. */

export const EMPTY_BODY = fault("Неверное тело запроса", "body", "Пустое тело запроса");
export const CREDENTIALS_MISSING = fault("Требуются логин и пароль", "credentials", "Укажите логин и пароль");
export const CREDENTIALS_WRONG = fault(
  "Неверный логин или пароль",
  "credentials",
  "Неверный логин или пароль",
);
export const NAME_MISSING = fault("Требуется имя пользователя", "username", "Укажите имя пользователя");
export const NAME_TAKEN = fault("Имя пользователя уже занято", "username", "Это имя уже используется");
export const PASSWORD_MISSING = fault("Требуется пароль", "password", "Укажите пароль");
export const PASSWORDS_DIFFER = fault("Пароли не совпадают", "password", "Пароли не совпадают");
export const PASSWORD_WEAK = fault("Пароль слишком слабый", "password", "Пароль слишком слабый");
export const BAD_CHARACTERS =
  "Введите правильное имя пользователя. Оно может содержать только буквы, цифры и знаки @/./+/-/_.";

/** How the API says what is wrong with one field. */
export function fault(error: string, field: string, message: string) {
  return { error, errors: { [field]: [message] } };
}
